// A demo wallet, apart from the verifier: a clerk's device never needs it.

import * as core from "./wallet_core.js";
import { loader } from "./load.js";

/** Loads the wallet's WebAssembly, once. */
export const loadWallet = loader(core.default, "wallet_core_bg.wasm");

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** A holder's certificates and keys, in the page's memory: for demonstrations. */
export class Wallet {
  #core;

  constructor(network) {
    this.#core = new core.Wallet(network);
  }

  /** Takes in a wallet file of `fengni wallet`, as text. */
  open(file) {
    const stored = JSON.parse(file);
    if (stored.format !== 1) throw new Error("a wallet of another format");
    for (const { algorithm, seed } of stored.keys) this.#core.addKey(algorithm, seed);
    for (const type of stored.types) this.#core.learn(bytesOf(type));
    for (const certificate of stored.certificates) this.#core.add(bytesOf(certificate));
  }

  /** Takes in a certificate file of `fengni issue`. */
  add(certificate) {
    this.#core.add(certificate);
  }

  /** Takes in the key file beside it, as text. */
  addKey(file) {
    const { algorithm, seed } = JSON.parse(file);
    this.#core.addKey(algorithm, seed);
  }

  /** Learns a type's fields from the `encoded` of a proven type. */
  learn(encoded) {
    this.#core.learn(bytesOf(encoded));
  }

  list() {
    return JSON.parse(this.#core.list());
  }

  /** Makes a code. */
  show(identifier, { purpose, fields, lifetime_secs, challenge }, now, nonce) {
    nonce ??= crypto.getRandomValues(new Uint8Array(8));
    return JSON.parse(this.#core.show(identifier, fields, purpose, lifetime_secs, nonce, challenge, now));
  }

  free() {
    this.#core.free();
  }
}

/** The modules of a code's QR symbol, row by row, without the border: 1 is dark. */
export function qr(text) {
  const modules = core.qr(text);
  return { size: Math.sqrt(modules.length), modules };
}
