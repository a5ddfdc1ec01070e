// Where trust begins, and how the device keeps it: the checkpoint beside the page, then what was seen.
//
// Whoever serves the page chooses the network. The page shows the network's id, so that it can be
// compared with one from another source.

import { load, Verifier } from "../fengni/index.js";
import * as gateway from "./gateway.js";
import { keep, recall } from "./store.js";

const RECORDS_AT_ONCE = 128;
/** A gateway is asked for more handovers so often at a time. */
const HANDOVER_LISTS = 64;

/** A verifier that begins at a checkpoint. */
async function verifier(checkpoint) {
  await load();
  return Verifier.fromCheckpoint(checkpoint);
}

/** A light client that the device remembers: a verifier, or another part of the package. */
export class Trust {
  constructor(client, checkpoint) {
    this.client = client;
    this.checkpoint = checkpoint;
  }

  static async open(begin = verifier) {
    const answer = await fetch(new URL("checkpoint.json", document.baseURI));
    if (!answer.ok) throw new Error(`checkpoint.json: ${answer.status}`);
    const checkpoint = await answer.json();
    const client = await begin(checkpoint);
    const saved = await recall(`light ${checkpoint.network}`);
    try {
      if (saved) client.resume(saved);
    } catch (error) {
      console.warn("what was saved cannot be read; beginning at the checkpoint again", error);
      return new Trust(await begin(checkpoint), checkpoint);
    }
    return new Trust(client, checkpoint);
  }

  get network() {
    return this.checkpoint.network;
  }

  /** Keeps the newest that was seen, so that no answer goes back after the page is closed. */
  async save() {
    await keep(`light ${this.network}`, this.client.save());
  }

  /**
   * Reads what a quorum may have signed. Where it does not hold, it may be of validators of which
   * this device knows nothing yet: their handovers are followed, and it is read once more.
   */
  async read(judge) {
    try {
      return judge(this.client);
    } catch (error) {
      const followed = await this.catchUp();
      // Only people can say that new validators may be believed: this page follows no recovery.
      if (await this.meetsRecovery()) {
        throw new Error("本网络已启用恢复交接，本页面无法判断；请改用 fengni verify 核验，或向运营单位索取新的检查点 / this network goes on after a recovery, which this page cannot judge; next: fengni verify, or a newer checkpoint from the network's operators");
      }
      if (!followed) throw error;
      return judge(this.client);
    }
  }

  /** Follows what handovers the gateway has; whether there were any. */
  async catchUp() {
    let followed = false;
    try {
      for (let asked = 0; asked < HANDOVER_LISTS; asked += 1) {
        const list = await gateway.handovers(this.client.trust(Date.now()).handovers_since);
        if (this.client.follow(list, Date.now()) === 0) break;
        followed = true;
      }
    } catch (error) {
      console.warn("handovers cannot be followed:", error);
    }
    return followed;
  }

  /** Whether the gateway shows a recovery above what this device knows. */
  async meetsRecovery() {
    try {
      const list = await gateway.recoveries(this.client.trust(Date.now()).handovers_since);
      // A list begins with its count.
      return new Uint8Array(list).subarray(0, 8).some((byte) => byte !== 0);
    } catch {
      return false;
    }
  }

  /** The newest header that the gateway has. */
  async newest() {
    const bytes = await gateway.latestHeader();
    return this.read((client) => client.checkHeader(bytes, Date.now()));
  }

  /** Proves entries of the register; throws where they are not proven. */
  async prove(places) {
    const bytes = await gateway.proof(places);
    const proven = await this.read((client) => client.checkProof(bytes, Date.now()));
    const missing = places.find((place) => !(place in proven.entries));
    if (missing) throw new Error(`${missing} is missing`);
    return { ...proven, bytes };
  }

  /** A proof of entries with what this device believes, for the wallet, which follows no network itself. */
  async evidence(places) {
    const { bytes, header } = await this.prove(places);
    return { proof: bytes, trusted: this.client.save(), header };
  }

  /** Every record of a registry with what proves it, in the order of their numbers. */
  async shelf(name) {
    const { sizes } = await this.prove(["parameters/0"]);
    const records = [];
    let header;
    while (records.length < sizes[name]) {
      const first = records.length;
      const count = Math.min(RECORDS_AT_ONCE, sizes[name] - first);
      const places = Array.from({ length: count }, (_, place) => `${name}/${first + place}`);
      const proven = await this.prove(places);
      header = proven.header;
      places.forEach((place, at) => records.push({ number: first + at, ...proven.entries[place] }));
    }
    return { records, header };
  }
}
