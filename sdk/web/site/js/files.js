// What a holder's files are: a wallet, certificates, their keys, grants.

import { Wallet } from "../fengni/wallet.js";

/** A wallet of these files, which knows the fields of its certificates as a quorum proves them. */
export async function walletOf(files, trust) {
  const wallet = new Wallet(trust.network);
  try {
    for (const file of files) await take(wallet, file);
  } catch (error) {
    wallet.free();
    throw error;
  }
  const types = await trust.shelf("types").catch(() => null);
  types?.records.forEach(({ encoded }) => wallet.learn(encoded));
  return wallet;
}

async function take(wallet, file) {
  if (file.name.endsWith(".certificate")) return wallet.add(new Uint8Array(await file.arrayBuffer()));
  const text = await file.text();
  if (file.name.endsWith(".key")) return wallet.addKey(text);
  // A wallet's file says its format; a grant's says none, and has the secret that withdraws it.
  const isGrant = "secret" in JSON.parse(text);
  return isGrant ? wallet.addGrant(text) : wallet.open(text);
}
