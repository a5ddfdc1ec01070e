// Answering a verifier’s question: who asks is proven and shown, and the holder decides.

import { isChallenge } from "../fengni/challenge.js";
import { opened, secondsLeft, textOf, whatIsWrong } from "./challenges.js";
import { byId } from "./dom.js";
import { say } from "./language.js";
import { Camera } from "./scan.js";

const TICK_MILLIS = 500;

export class Answering {
  #trust;
  #purposeName;
  #challenge = null;
  #timer;
  #camera = new Camera(byId("asked-video"));

  /** `purposeName(code)` names a purpose. */
  constructor(trust, purposeName) {
    this.#trust = trust;
    this.#purposeName = purposeName;
    byId("asked-read").addEventListener("click", () => this.#take(byId("asked-text").value));
    byId("asked-text").addEventListener("paste", () => setTimeout(() => this.#take(byId("asked-text").value)));
    byId("asked-file").addEventListener("change", async ({ target }) => {
      const text = await textOf(target.files[0]);
      target.value = "";
      await this.#take(text);
    });
    byId("asked-scan").addEventListener("click", () => this.#scan());
    byId("asker-no").addEventListener("click", () => this.drop());
    document.addEventListener("language", () => this.#draw());
  }

  /** The challenge to answer, while it may be answered; null where there is none. */
  get challenge() {
    return this.#challenge;
  }

  get isOver() {
    return this.#challenge !== null && secondsLeft(this.#challenge) === 0;
  }

  drop() {
    this.#challenge = null;
    byId("asked-text").value = "";
    this.#draw();
  }

  async #scan() {
    if (this.#camera.running) return this.#camera.stop();
    byId("asked-video").hidden = false;
    byId("asked-scan").textContent = say("camera_stop");
    try {
      const text = await this.#camera.find();
      if (text) await this.#take(text);
    } catch {
      problem(say("camera_none"));
    } finally {
      byId("asked-video").hidden = true;
      byId("asked-scan").textContent = say("asked_scan");
    }
  }

  async #take(text) {
    problem();
    try {
      this.#challenge = await opened(text, this.#trust);
      byId("asked").open = false;
      this.#tick();
      byId("asker").focus();
    } catch (error) {
      console.warn("the challenge is not answered:", error);
      problem(isChallenge(text) ? whatIsWrong(error) : say("asked_none"));
    }
  }

  #tick() {
    this.#draw();
    clearTimeout(this.#timer);
    if (this.#challenge) this.#timer = setTimeout(() => this.#tick(), TICK_MILLIS);
  }

  #draw() {
    const asked = this.#challenge;
    byId("asker").hidden = !asked;
    byId("asked").hidden = Boolean(asked);
    byId("purpose-choice").hidden = Boolean(asked);
    byId("show").textContent = say(asked ? "answer_code" : "show_code");
    if (!asked) return;
    byId("asker-name").textContent = asked.member.name;
    byId("asker-purpose").textContent = say("shown_for", { purpose: this.#purposeName(asked.purpose) });
    const n = secondsLeft(asked);
    byId("asker-left").textContent = n > 0 ? say("seconds_left", { n }) : say("challenge_over");
  }
}

function problem(text = "") {
  byId("asked-problem").textContent = text;
  byId("asked-problem").hidden = !text;
}
