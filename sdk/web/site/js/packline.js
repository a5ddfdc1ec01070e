// The line about the offline pack: what is at hand, how its download goes on, what it holds.

import { byId } from "./dom.js";
import { moment, say, size } from "./language.js";
import { Pack } from "./packs.js";
import { Subscription } from "./subscription.js";

const NOTES = { "too-large": "pack_too_large", stopped: "pack_stopped" };

export class PackLine {
  #trust;
  #subscription;
  #download = null;
  #note = null;

  constructor(trust) {
    this.#trust = trust;
    this.#subscription = new Subscription(trust);
    byId("pack-update").addEventListener("click", () => (this.#download ? this.#download.abort() : this.#update()));
    byId("pack-choose").addEventListener("click", () => this.#choose());
    document.addEventListener("language", () => this.show());
  }

  async load() {
    this.pack = await Pack.open(this.#trust);
    await this.#subscription.load();
    this.show();
  }

  /** What is at hand, and what became of the last attempt. */
  show() {
    const held = this.pack.held;
    const parts = [held ? coverage(held) : say("pack_none"), this.#note && say(this.#note)];
    byId("pack-text").textContent = this.#download ? say("pack_updating") : parts.filter(Boolean).join(" · ");
    byId("pack-update").textContent = say(this.#download ? "stop" : "pack_update");
    byId("pack-choose").disabled = this.#download !== null;
    byId("pack-progress").hidden = this.#download === null;
    if (!this.#download) byId("pack-bytes").textContent = "";
  }

  async #choose() {
    if (await this.#subscription.choose()) await this.#update();
  }

  async #update() {
    this.#note = null;
    this.#download = new AbortController();
    byId("pack-bar").removeAttribute("value");
    this.show();
    try {
      const agreed = !(await this.#subscription.isLarge()) || (await this.#subscription.choose());
      if (agreed) await this.pack.update({ signal: this.#download.signal, onProgress: progress, onBreak: broken });
    } catch (error) {
      console.warn("the pack at hand stays:", error);
      // Refused is what the module says of a pack; a fault of this page is no word about it.
      const refused = !error.kind && !(error instanceof TypeError);
      this.#note = refused ? "pack_refused" : NOTES[error.kind] ?? "pack_failed";
    }
    this.#download = null;
    this.show();
    byId("pack").dataset.updated = String(Number(byId("pack").dataset.updated ?? 0) + 1);
  }
}

function coverage({ time, types, regions }) {
  const parts = [
    say("pack_of", { time: moment(time, true) }),
    types.length > 0 && say("pack_types", { n: types.length }),
    regions.length > 0 && say("pack_regions", { n: regions.length }),
  ];
  return parts.filter(Boolean).join(" · ");
}

function progress({ got, whole }) {
  const bar = byId("pack-bar");
  if (whole) Object.assign(bar, { value: got, max: whole });
  byId("pack-bytes").textContent = whole ? `${size(got)} / ${size(whole)}` : size(got);
}

function broken({ got }, millis) {
  byId("pack-bytes").textContent = say("pack_broken", { size: size(got), n: Math.ceil(millis / 1000) });
}
