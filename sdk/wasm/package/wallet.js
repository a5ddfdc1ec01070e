// A demo wallet, apart from the verifier: a clerk's device never needs it.

import * as core from "./wallet_core.js";
import { loader } from "./load.js";
import { standing } from "./records.js";

/** Loads the wallet's WebAssembly, once. */
export const loadWallet = loader(core.default, "wallet_core_bg.wasm");

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** A holder's certificates, keys and grants, in the page's memory: for demonstrations. */
export class Wallet {
  #core;
  #network;

  constructor(network) {
    this.#core = new core.Wallet(network);
    this.#network = network;
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

  /** Takes in a grant as its holder keeps it, as text. */
  addGrant(file) {
    this.#core.addGrant(file);
  }

  /** The grants with their notices; a grant's number is its place here. */
  grants() {
    return JSON.parse(this.#core.grants());
  }

  /** Where a grant stands by a proof of its line; null where the line is another's. */
  grantStanding(grant, evidence, now) {
    return this.#by(evidence, now, (proven) => JSON.parse(this.#core.grantStanding(grant, proven)));
  }

  /** Numbers of a grant's uses that none of these receipts has, or that several have. */
  miscounts(grant, receipts) {
    return JSON.parse(this.#core.miscounts(grant, JSON.stringify(receipts)));
  }

  /** What withdraws a grant, as text: whoever has it withdraws it. */
  withdrawal(grant) {
    return this.#core.withdrawal(grant);
  }

  /** A holder's signed question to a provider, as text. */
  ask(identifier, { provider, from = 0, fields }, now, nonce) {
    nonce ??= crypto.getRandomValues(new Uint8Array(16));
    return this.#core.ask(identifier, fields, provider, from, nonce, now);
  }

  /** What has to be proven to judge receipts; asked again with the proof of these, with their lines. */
  placesOf(receipts, provider, evidence, now) {
    return this.#by(evidence, now, (proven) => this.#core.placesOf(JSON.stringify(receipts), provider, proven));
  }

  /** What each receipt is worth by what is proven. */
  judge(receipts, provider, evidence, now) {
    return this.#by(evidence, now, (proven) => JSON.parse(this.#core.judge(JSON.stringify(receipts), provider, proven)));
  }

  /** The way of a receipt into a batch with these leaves; null where its number is outside. */
  pathOf(receipt, first, leaves) {
    return JSON.parse(this.#core.pathOf(JSON.stringify(receipt), first, JSON.stringify(leaves)));
  }

  /** Where a certificate stands by a proof of its line. */
  certificateStanding(identifier, evidence, now) {
    const { standing: byte, ...rest } = this.#by(evidence, now, (proven) => JSON.parse(this.#core.certificateStanding(identifier, proven)));
    return { ...standing(byte), ...rest };
  }

  #by({ proof, trusted }, now, read) {
    const proven = new core.Evidence(this.#network, trusted, proof, now);
    try {
      return read(proven);
    } finally {
      proven.free();
    }
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
