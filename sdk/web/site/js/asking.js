// Asking first (挑战核验): the page shows the department’s question, and takes an answer to it alone.
//
// The question is signed elsewhere, by a key of the department’s: no such key is on this device.

import { expectChallenge } from "../fengni/challenge.js";
import { opened, secondsLeft, textOf, whatIsWrong } from "./challenges.js";
import { byId } from "./dom.js";
import { say } from "./language.js";
import { showSymbol } from "./symbol.js";

const TICK_MILLIS = 500;

export class Asking {
  #trust;
  #challenge = null;
  #timer;

  /** `onScan` begins to scan the answer. */
  constructor(trust, onScan) {
    this.#trust = trust;
    byId("challenge-form").addEventListener("submit", (event) => {
      if (event.submitter?.value !== "show") return;
      event.preventDefault();
      this.#take(byId("challenge-text").value);
    });
    byId("challenge-file").addEventListener("change", async ({ target }) => {
      const text = await textOf(target.files[0]);
      target.value = "";
      byId("challenge-text").value = text.trim();
      await this.#take(text);
    });
    byId("asking-show").addEventListener("click", () => byId("question").showModal());
    byId("asking-end").addEventListener("click", () => this.end());
    byId("question-scan").addEventListener("click", () => {
      byId("question").close();
      onScan();
    });
    document.addEventListener("language", () => this.#draw());
  }

  /** Lets the clerk bring a challenge for this desk. */
  begin(question) {
    this.question = question;
    byId("challenge-text").value = "";
    problem("challenge-problem");
    byId("challenge").showModal();
  }

  /** The hash that an answer must carry; undefined where nothing was asked. Throws `ChallengeError`: rule Y-12. */
  expected(question) {
    if (!this.#challenge) return undefined;
    expectChallenge(this.#challenge, question, Date.now());
    return this.#challenge.hash;
  }

  /** Says why an answer is not taken. */
  refuse(error) {
    problem("asking-problem", whatIsWrong(error));
  }

  /** Each holder is asked anew. */
  end() {
    this.#challenge = null;
    byId("question").close();
    this.#draw();
  }

  async #take(text) {
    problem("challenge-problem");
    try {
      const challenge = await opened(text, this.#trust);
      expectChallenge(challenge, this.question, Date.now());
      const { loadWallet, qr } = await import("../fengni/wallet.js");
      await loadWallet();
      showSymbol(byId("question-qr"), qr(challenge.text));
      this.#challenge = challenge;
    } catch (error) {
      console.warn("the challenge is not shown:", error);
      problem("challenge-problem", whatIsWrong(error));
      return;
    }
    byId("challenge").close("show");
    byId("question").showModal();
    problem("asking-problem");
    this.#tick();
  }

  #tick() {
    this.#draw();
    clearTimeout(this.#timer);
    if (this.#challenge) this.#timer = setTimeout(() => this.#tick(), TICK_MILLIS);
  }

  #draw() {
    byId("asking").hidden = !this.#challenge;
    if (!this.#challenge) return;
    const n = secondsLeft(this.#challenge);
    const left = n > 0 ? say("seconds_left", { n }) : say("challenge_over");
    byId("asking-left").textContent = left;
    byId("question-left").textContent = left;
    byId("question-who").textContent = this.#challenge.member.name;
  }
}

function problem(id, text = "") {
  byId(id).textContent = text;
  byId(id).hidden = !text;
}
