// Fengni in JavaScript: a light client that judges codes and proofs.
//
//   await load();
//   const verifier = Verifier.fromCheckpoint(checkpoint);
//   const { verdict } = verifier.verify(text, proofBytes, { verifier: 7, purpose: 101 }, Date.now());
//
// Nothing here fetches: what a gateway answered is an argument, and is believed only as far as a
// quorum of validators stands behind it.

import * as core from "./core.js";
import { loader } from "./load.js";
import { checkpointBytes, header, proof } from "./reading.js";

/**
 * Loads the WebAssembly, once. Without an argument from the file beside this one; otherwise from
 * an address, a `Response`, bytes or a compiled module.
 */
export const load = loader(core.default, "core_bg.wasm");

function question(asked, unproven) {
  const made = new core.Question(asked.verifier, asked.purpose);
  if (asked.min_grade) made.minGrade("ABCD".indexOf(asked.min_grade) + 1);
  if (asked.min_assurance) made.minAssurance(["real-name", "real-person"].indexOf(asked.min_assurance) + 1);
  if (asked.challenge) made.challenge(asked.challenge);
  if (unproven) made.unproven(unproven);
  return made;
}

/** Follows one network, judges codes and proofs, remembers the codes it accepted. */
export class Verifier {
  #core;

  constructor(inner) {
    this.#core = inner;
  }

  /** Begins at a checkpoint. Whoever chooses it chooses the network. */
  static fromCheckpoint(checkpoint) {
    return new Verifier(new core.Verifier(checkpointBytes(checkpoint)));
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
    this.#core.pin(checkpointBytes(checkpoint));
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

  /** The members, reference codes and names of types that a state proof proves; throws where it proves nothing. */
  checkProof(bytes, now) {
    return proof(this.#core.checkProof(bytes, now));
  }

  /** A header that a quorum signed; throws where none did. */
  checkHeader(bytes, now) {
    return header(this.#core.checkHeader(bytes, now));
  }

  /** Follows the handovers that a gateway gave to the next sets of validators; how many there were. */
  follow(handovers, now) {
    return this.#core.follow(handovers, now);
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

/** Which kind of code a text looks like, and which character is wrong. */
export function checkIdentifier(text) {
  return JSON.parse(core.checkIdentifier(text));
}

/** Whether a signature holds; key and signature begin with their algorithm's number. */
export function verifySignature(key, message, signature) {
  return core.verifySignature(key, message, signature);
}
