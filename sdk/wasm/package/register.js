// The register for people, apart from the verifier: a clerk's device never needs it.

import * as core from "./register_core.js";
import { loader } from "./load.js";
import { checkpointBytes, flat, header, proof } from "./reading.js";

/** Loads the register's WebAssembly, once. */
export const loadRegister = loader(core.default, "register_core_bg.wasm");

/** Follows one network and reads what its nodes prove: members, books, pages, blocks. */
export class Register {
  #core;

  /** Begins at a checkpoint. Whoever chooses it chooses the network. */
  constructor(checkpoint) {
    this.#core = new core.Register(checkpointBytes(checkpoint));
  }

  /** Goes on where `save` left off, also a verifier's; throws where that is damaged or of another network. */
  resume(bytes) {
    this.#core.resume(bytes);
  }

  /** What a device keeps between two uses, so that no answer goes back. */
  save() {
    return this.#core.save();
  }

  trust(now) {
    return JSON.parse(this.#core.trust(now));
  }

  /** Follows the handovers that a gateway gave to the next sets of validators; how many there were. */
  follow(handovers, now) {
    return this.#core.follow(handovers, now);
  }

  /** Everything a state proof proves; throws where it proves nothing. */
  checkProof(bytes, now) {
    return proof(this.#core.checkProof(bytes, now));
  }

  /** A header that a quorum signed; throws where none did. */
  checkHeader(bytes, now) {
    return header(this.#core.checkHeader(bytes, now));
  }

  /** A block that a quorum signed; throws where none did. */
  checkBlock(bytes, now) {
    return flat(this.#core.checkBlock(bytes, now));
  }

  free() {
    this.#core.free();
  }
}
