// The trust pack: what the device takes along to judge codes where there is no network.

import { download, nothing } from "./download.js";
import { forget, keep, recall } from "./store.js";

/** Bytes of a pack, at most: `PACK_BYTES` of the core. */
const PACK_BYTES = 32 * 1024 * 1024;

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
      if (saved) trust.client.resumePack(saved);
    } catch (error) {
      console.warn("the pack that was kept cannot be read; update it", error);
    }
    return new Pack(trust);
  }

  /** What is at hand: height, time, books and lines; null where there is none. */
  get held() {
    return this.#trust.client.pack;
  }

  /**
   * Fetches a newer pack: a delta where one will do, else a full one.
   *
   * `ways` has `onProgress`, `onBreak` and `signal` of `download`.
   */
  async update(ways) {
    // A delta that does not fit is nobody’s fault: the full pack follows.
    const resumed = await this.#take(false, ways).catch((error) => {
      if (!this.held || error.kind) throw error;
      return this.#take(true, ways);
    });
    // What broke off some time ago was of a state of then: the newest is a small step from there.
    if (resumed) await this.#take(false, ways);
  }

  /** One pack; whether it was one that an earlier visit had begun. */
  async #take(full, ways) {
    const { client, network } = this.#trust;
    const name = `part ${network}`;
    const query = client.packQuery(full);
    const begun = await recall(name);
    const resumed = begun?.query === query;
    const part = resumed ? begun.part : nothing(await this.#path(query));
    const onBreak = async (reached, millis) => {
      ways.onBreak(reached, millis);
      await keep(name, { query, part: reached });
    };
    let bytes;
    try {
      bytes = await download(part, { ...ways, onBreak, limit: PACK_BYTES });
    } catch (error) {
      // What came so far waits for the network, and for whoever stopped it.
      if (["unreachable", "busy", "stopped"].includes(error.kind)) {
        await keep(name, { query, part });
        throw error;
      }
      await forget(name);
      // The gateway no longer gives packs of the height at which this one was begun.
      if (error.kind === "not-found" && part.got > 0) return this.#take(full, ways);
      throw error;
    }
    await forget(name);
    client.updatePack(bytes, Date.now());
    await keep(`pack ${network}`, client.savePack());
    return resumed;
  }

  /** A pack at a named height has the same bytes each time, so that its download can go on. */
  async #path(query) {
    const { height } = await this.#trust.newest();
    return `packs?${[query, `height=${height}`].filter(Boolean).join("&")}`;
  }

  /** Judges a code without a network; null where there is no pack. */
  async verify(text, question) {
    if (!this.held) return null;
    return this.#trust.client.verifyOffline(text, question, Date.now());
  }
}
