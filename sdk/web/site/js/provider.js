// A provider's gateway, as a holder asks it. Nothing that it says is believed here.

import { NoAnswer } from "./gateway.js";

/** A provider asks its database, or waits for a block. */
const TIMEOUT_MILLIS = 20_000;
/** Bytes of one answer: the leaves of the longest batch are 4.4 MB. */
const ANSWER_BYTES = 8 * 1024 * 1024;
const JSON_TYPE = "application/json";
/** Kinds by the name of the problem (gateway.md, I-28), else by its status. */
const PROBLEMS = { "urn:fengni:problem:identity-refused": "identity-refused" };
const KINDS = { 404: "not-found", 409: "done-before", 429: "busy", 503: "busy" };

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

  /** Throws `NoAnswer`: `unreachable`, `not-found`, `done-before`, `busy`, `trouble`, `too-large`, `identity-refused` or `refused`. */
  async #ask(path, body) {
    let answer;
    let text;
    try {
      answer = await fetch(new URL(`v1/${path}`, this.url), {
        method: body === undefined ? "GET" : "POST",
        headers: body === undefined ? {} : { "content-type": JSON_TYPE },
        body,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(TIMEOUT_MILLIS),
      });
      text = await bounded(answer);
    } catch (error) {
      throw error instanceof NoAnswer ? error : new NoAnswer("unreachable", String(error));
    }
    const said = parsed(text);
    if (answer.ok && said !== null) return said;
    if (answer.ok) throw new NoAnswer("trouble", "the answer is no JSON");
    const kind = PROBLEMS[said?.type] ?? KINDS[answer.status] ?? (answer.status >= 500 ? "trouble" : "refused");
    throw new NoAnswer(kind, [said?.detail, said?.next].filter(Boolean).join("; ") || String(answer.status));
  }
}

/** The text of an answer, of which no more is read than an answer may have. */
async function bounded(answer) {
  const decoder = new TextDecoder();
  const reader = answer.body?.getReader();
  let [text, got] = ["", 0];
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    got += value.length;
    if (got > ANSWER_BYTES) {
      await reader.cancel();
      throw new NoAnswer("too-large", `more than ${ANSWER_BYTES} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A line that names no provider: `word` says why. */
export class NoProvider extends Error {
  constructor(word, line) {
    super(line);
    this.word = word;
  }
}

const linesOf = (text) => text.split(/[\r\n]+/).map((line) => line.trim()).filter(Boolean);

/** Providers as a person names them, a line each: MEMBER=URL. Throws `NoProvider`. */
export function providersOf(text, names) {
  return linesOf(text).map((line) => {
    const [name, url] = halves(line);
    const member = names.memberOf(name);
    if (member === null || !["http:", "https:"].includes(url?.protocol)) throw new NoProvider("provider_bad", line);
    if (url.href !== `${url.origin}/`) throw new NoProvider("provider_path", line);
    if (url.protocol === "http:" && !isLoopback(url)) throw new NoProvider("provider_plain", line);
    return new Provider(member, url.origin);
  });
}

/**
 * Lines that a page's address brings: `own` are of this device. Whoever made the link chose the `others`, each
 * a `line` with its `host`.
 */
export function linesOfAddress(address) {
  const lines = new URL(address).searchParams.getAll("provider").flatMap(linesOf);
  const hosts = lines.map((line) => ({ line, url: halves(line)[1] }));
  return {
    own: hosts.filter(({ url }) => url && isLoopback(url)).map(({ line }) => line),
    others: hosts.filter(({ url }) => !(url && isLoopback(url))).map(({ line, url }) => ({ line, host: url?.host || line })),
  };
}

function halves(line) {
  const at = line.indexOf("=");
  const address = line.slice(at + 1).trim();
  return [line.slice(0, Math.max(at, 0)).trim(), at >= 0 && URL.canParse(address) ? new URL(address) : null];
}

/** This device, by the names that the page's policy lets it ask. */
const isLoopback = ({ hostname }) => ["localhost", "127.0.0.1"].includes(hostname);
