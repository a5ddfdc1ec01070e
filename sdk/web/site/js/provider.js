// A provider's gateway, as a holder asks it. Nothing that it says is believed here.

import { NoAnswer } from "./gateway.js";

/** A provider asks its database, or waits for a block. */
const TIMEOUT_MILLIS = 20_000;
const JSON_TYPE = "application/json";

export class Provider {
  /** `member` is the number of the member whose gateway it is. */
  constructor(member, url) {
    this.member = member;
    this.url = url;
  }

  /** The receipts about what a key signed, for a signed question. */
  mine(question) {
    return this.#ask("mine", question);
  }

  /** The batch in which the receipt with a number is, with its leaves. */
  batch(number) {
    return this.#ask(`batches/${number}`);
  }

  /** Brings a withdrawal to the ledger. */
  withdraw(withdrawal) {
    return this.#ask("withdraw", withdrawal);
  }

  async #ask(path, body) {
    let answer;
    try {
      answer = await fetch(new URL(`v1/${path}`, this.url), {
        method: body === undefined ? "GET" : "POST",
        headers: body === undefined ? {} : { "content-type": JSON_TYPE },
        body,
        cache: "no-store",
        credentials: "omit",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(TIMEOUT_MILLIS),
      });
    } catch (error) {
      throw new NoAnswer("unreachable", String(error));
    }
    const said = await answer.json().catch(() => null);
    if (answer.ok && said !== null) return said;
    const kind = { 404: "not-found", 409: "done-before", 503: "busy" }[answer.status] ?? "refused";
    throw new NoAnswer(kind, [said?.detail, said?.next].filter(Boolean).join("; ") || String(answer.status));
  }
}

/** Providers as a person names them, a line each: MEMBER=URL. Throws with the line that names none. */
export function providersOf(text, names) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const at = line.indexOf("=");
    const member = names.memberOf(line.slice(0, at).trim());
    const address = line.slice(at + 1).trim();
    const url = URL.canParse(address) ? new URL(address) : null;
    if (at < 0 || member === null || !["http:", "https:"].includes(url?.protocol)) throw new Error(line);
    return new Provider(member, url.origin);
  });
}
