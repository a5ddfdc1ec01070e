// Fengni in JavaScript: a light client that judges codes and proofs, and a demo wallet.
//
//   await load();
//   const verifier = Verifier.fromCheckpoint(checkpoint);
//   const { verdict } = verifier.verify(text, proofBytes, { verifier: 7, purpose: 101 }, Date.now());
//
// Nothing here fetches: what a gateway answered is an argument, and is believed only as far as a
// quorum of validators stands behind it.

import * as core from "./core.js";
import { entry } from "./records.js";

let ready;

/**
 * Loads the WebAssembly, once. Without an argument from the file beside this one; otherwise from
 * an address, a `Response`, bytes or a compiled module.
 */
export function load(source) {
  ready ??= start(source).catch((error) => {
    ready = undefined;
    throw error;
  });
  return ready;
}

async function start(source) {
  const beside = new URL("core_bg.wasm", import.meta.url);
  if (source === undefined && beside.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    source = await readFile(beside);
  }
  await core.default({ module_or_path: source ?? beside });
}

function question(asked, unproven) {
  const made = new core.Question(asked.verifier, asked.purpose);
  if (asked.min_grade) made.minGrade("ABCD".indexOf(asked.min_grade) + 1);
  if (asked.challenge) made.challenge(asked.challenge);
  if (unproven) made.unproven(unproven);
  return made;
}

function checkpointOf({ network, suite, height, time, block, validators, trusting_period_secs }) {
  const column = (name) => validators.map((validator) => validator[name]);
  return new core.Checkpoint(
    network, suite, height, time, block ?? undefined, trusting_period_secs,
    Uint32Array.from(column("member")), column("key"), Float64Array.from(column("power")),
  );
}

const flat = ({ finality: { header, ...signed }, ...rest }) => ({ header: { ...header, ...signed }, ...rest });

/** Follows one network, judges codes and proofs, remembers the codes it accepted. */
export class Verifier {
  #core;

  constructor(inner) {
    this.#core = inner;
  }

  /** Begins at a checkpoint. Whoever chooses it chooses the network. */
  static fromCheckpoint(checkpoint) {
    return new Verifier(new core.Verifier(checkpointOf(checkpoint)));
  }

  /** Goes on where `save` left off; throws where that is damaged or of another network. */
  resume(bytes) {
    this.#core.resume(bytes);
  }

  /** What a device keeps between two uses, so that no answer goes back. */
  save() {
    return this.#core.save();
  }

  /** Pins a newer checkpoint from an independent source. */
  pin(checkpoint) {
    this.#core.pin(checkpointOf(checkpoint));
  }

  get network() {
    return this.#core.network();
  }

  trust(now) {
    return JSON.parse(this.#core.trust(now));
  }

  /** What a scanned or typed text is, and where its line stands. */
  place(text) {
    return JSON.parse(this.#core.place(text));
  }

  /**
   * Judges what was scanned or typed.
   *
   * `proof` is what a gateway answered, or null; then `asked.unproven` says why there is none.
   */
  verify(text, proof, asked, now) {
    const { unproven, ...rest } = asked;
    return JSON.parse(this.#core.verify(text, proof ?? undefined, question(rest, proof ? undefined : unproven), now));
  }

  /** Everything a state proof proves; throws where it proves nothing. */
  checkProof(proof, now) {
    const proven = flat(JSON.parse(this.#core.checkProof(proof, now)));
    for (const [place, record] of Object.entries(proven.entries)) proven.entries[place] = entry(place, record);
    return proven;
  }

  /** A header that a quorum signed; throws where none did. */
  checkHeader(bytes, now) {
    const { header, ...signed } = JSON.parse(this.#core.checkHeader(bytes, now));
    return { ...header, ...signed };
  }

  /** A block that a quorum signed; throws where none did. */
  checkBlock(bytes, now) {
    return flat(JSON.parse(this.#core.checkBlock(bytes, now)));
  }

  /** Follows a handover to the next set of validators. */
  follow(handover, now) {
    this.#core.follow(handover, now);
  }

  /** Wants pages of these types and regions in packs; of all where there are none. */
  subscribe({ types = [], regions = [] } = {}) {
    this.#core.subscribe(Uint32Array.from(types), regions);
  }

  /** The query of `/v1/packs` for the next pack: a delta where one will do, unless `full`. */
  packQuery(full = false) {
    return this.#core.packQuery(full);
  }

  /** Takes a pack; throws where it does not hold, and keeps the one at hand. */
  updatePack(bytes, now) {
    this.#core.updatePack(bytes, now);
    return this.pack;
  }

  /** The pack at hand, or null. */
  get pack() {
    return JSON.parse(this.#core.pack());
  }

  savePack() {
    return this.#core.savePack();
  }

  resumePack(bytes) {
    this.#core.resumePack(bytes);
  }

  /** Judges a code by the pack alone. */
  verifyOffline(text, asked, now) {
    const { unproven: _, ...rest } = asked;
    return JSON.parse(this.#core.verifyOffline(text, question(rest), now));
  }

  free() {
    this.#core.free();
  }
}

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

/** Which kind of code a text looks like, and which character is wrong. */
export function checkIdentifier(text) {
  return JSON.parse(core.checkIdentifier(text));
}

/** The modules of a code's QR symbol, row by row, without the border: 1 is dark. */
export function qr(text) {
  const modules = core.qr(text);
  return { size: Math.sqrt(modules.length), modules };
}

/** Whether a signature holds; key and signature begin with their algorithm's number. */
export function verifySignature(key, message, signature) {
  return core.verifySignature(key, message, signature);
}
