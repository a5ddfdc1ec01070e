// The trust pack: what the device takes along to judge codes where there is no network.

import * as gateway from "./gateway.js";
import { keep, recall } from "./store.js";

/** The pack of this device. */
export class Pack {
  #trust;

  constructor(trust) {
    this.#trust = trust;
  }

  /** Opens the pack that the device keeps, if it keeps one. */
  static async open(trust) {
    const saved = await recall(`pack ${trust.network}`);
    try {
      if (saved) trust.verifier.resumePack(saved);
    } catch (error) {
      console.warn("the pack that was kept cannot be read; update it", error);
    }
    return new Pack(trust);
  }

  /** What is at hand: height, time, books and lines; null where there is none. */
  get held() {
    return this.#trust.verifier.pack;
  }

  /** Fetches a newer pack: a delta where one will do, else a full one. */
  async update() {
    const { verifier } = this.#trust;
    const take = async (full) => verifier.updatePack(await gateway.pack(verifier.packQuery(full)), Date.now());
    // A delta that does not fit is nobody’s fault: the full pack follows.
    await take(false).catch((error) => (this.held && error.kind !== "unreachable" ? take(true) : Promise.reject(error)));
    await keep(`pack ${this.#trust.network}`, verifier.savePack());
  }

  /** Judges a code without a network; null where there is no pack. */
  async verify(text, question) {
    if (!this.held) return null;
    return this.#trust.verifier.verifyOffline(text, question, Date.now());
  }
}
