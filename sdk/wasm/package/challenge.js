// Challenges (核验挑战): a verifier asks first, and takes an answer to this one question alone.
// Rules Y-10 to Y-12 of `sdk/spec/codes.md`; the core has its own reader of them.

import { decode } from "./base45.js";
import { verifySignature } from "./index.js";

const PREFIX = "FC1:";
const BYTES_MAX = 256;
const LIFETIME_SECS_MAX = 300;
const SKEW_SECS = 30;
const SIGNATURE_BYTES = 65;

/** Why nobody should answer a challenge, or take an answer to it; `code` says it in a word. */
export class ChallengeError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const malformed = (why) => new ChallengeError("malformed", `not a challenge: ${why}`);

export const isChallenge = (text) => text.trim().startsWith(PREFIX);

/** Rule Y-10: what a text asks, and the hash that an answer carries. `network` has 64 digits. */
export async function readChallenge(text, network) {
  const trimmed = text.trim();
  if (!trimmed.startsWith(PREFIX)) throw malformed(`it does not begin with ${PREFIX}`);
  const body = trimmed.slice(PREFIX.length);
  if (body.length > (BYTES_MAX / 2) * 3) throw malformed("it is too long");
  const question = fields(bytesOf(body));
  const message = messageOf(question, network);
  const hash = hexOf(new Uint8Array(await crypto.subtle.digest("SHA-256", message)));
  return { ...question, text: trimmed, expires_secs: question.issued_secs + question.lifetime_secs, message, hash };
}

/**
 * Rule Y-11: throws where a wallet should not answer.
 *
 * - `member`: the proven record of the challenge's verifier.
 * - `height`: of the state that proved it.
 */
export function checkChallenge(challenge, member, height, now) {
  if (member.status !== "active") throw new ChallengeError("not-active", "the member that asks may not act now");
  const key = member.keys[challenge.key];
  const inForce = key?.purpose === "application" && key.from <= height && (key.until === null || height <= key.until);
  if (!inForce) throw new ChallengeError("key", "the key is no application key of the member that asks, or not in force");
  if (!verifySignature(wireOf(key.key), challenge.message, challenge.signature)) {
    throw new ChallengeError("signature", "the challenge was not signed by the member it names");
  }
  checkTime(challenge, now);
}

/** Rule Y-12: throws where a verifier may take no answer to it, or no longer. */
export function expectChallenge(challenge, { verifier, purpose }, now) {
  if (challenge.verifier !== verifier || challenge.purpose !== purpose) {
    throw new ChallengeError("other", "the challenge is another member’s, or for another purpose");
  }
  checkTime(challenge, now);
}

function checkTime({ issued_secs, expires_secs }, now) {
  if (now < (issued_secs - SKEW_SECS) * 1000) {
    throw new ChallengeError("early", "the challenge is from later than now: one of the two clocks is wrong");
  }
  if (now > (expires_secs + SKEW_SECS) * 1000) throw new ChallengeError("expired", "the challenge has expired: ask for a new one");
}

// ---- bytes --------------------------------------------------------------------------------------

function bytesOf(body) {
  try {
    return decode(body);
  } catch (error) {
    throw malformed(error.message);
  }
}

/** `[1, verifier, key number, purpose, time, lifetime, nonce, signature]`, each in its shortest form. */
function fields(bytes) {
  const reader = new Reader(bytes);
  reader.head(4, 8);
  if (reader.head(0) !== 1) throw malformed("it is of another version");
  const [verifier, key, purpose] = [reader.uint(4), reader.uint(2), reader.uint(2)];
  const [issued_secs, lifetime_secs] = [reader.uint(8), reader.uint(4)];
  if (lifetime_secs < 1 || lifetime_secs > LIFETIME_SECS_MAX) throw malformed(`none holds ${lifetime_secs} seconds`);
  const [nonce, signature] = [reader.bytes(16), reader.bytes(SIGNATURE_BYTES)];
  reader.end();
  return { verifier, key, purpose, issued_secs, lifetime_secs, nonce, signature };
}

/** CBOR of rules, as far as challenges go. */
class Reader {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  /** The number in a head of a kind, which may have to be a certain one. */
  head(kind, expected) {
    const [first] = this.#take(1);
    const short = first & 0x1f;
    if (first >> 5 !== kind || short > 27) throw malformed("another kind of entry was expected");
    const value = short < 24 ? short : this.#take(1 << (short - 24)).reduce((sum, byte) => sum * 256 + byte, 0);
    const shortest = [24, 0x100, 0x1_0000, 0x1_0000_0000][short - 24] ?? 0;
    if (value < shortest || !Number.isSafeInteger(value)) throw malformed("a number is not in its shortest form, or too large");
    if (expected !== undefined && value !== expected) throw malformed(`${expected} was expected`);
    return value;
  }

  uint(size) {
    const value = this.head(0);
    if (value >= 256 ** size) throw malformed("a number is too large");
    return value;
  }

  bytes(length) {
    this.head(2, length);
    return this.#take(length);
  }

  end() {
    if (this.#at !== this.#bytes.length) throw malformed("something follows its end");
  }

  #take(length) {
    const taken = this.#bytes.slice(this.#at, this.#at + length);
    if (taken.length < length) throw malformed("it ends early");
    this.#at += length;
    return taken;
  }
}

/** What the verifier signs, the network in it. */
function messageOf({ verifier, key, purpose, issued_secs, lifetime_secs, nonce }, network) {
  const numbers = new DataView(new ArrayBuffer(20));
  numbers.setUint32(0, verifier);
  numbers.setUint16(4, key);
  numbers.setUint16(6, purpose);
  numbers.setBigUint64(8, BigInt(issued_secs));
  numbers.setUint32(16, lifetime_secs);
  const kind = new TextEncoder().encode("fengni/1/challenge\0");
  return Uint8Array.from([...kind, ...fromHex(network), ...new Uint8Array(numbers.buffer), ...nonce]);
}

/** A key as records write it, `1:…` in hexadecimal, in its wire form. */
function wireOf(text) {
  const [algorithm, digits] = text.split(":");
  return Uint8Array.from([Number(algorithm), ...fromHex(digits)]);
}

const fromHex = (digits) => (digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
