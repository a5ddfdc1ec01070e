// Challenges: the reader in JavaScript agrees with the vectors, and refuses what the core refuses.

import test from "node:test";
import assert from "node:assert/strict";

import { bytesOf, fengni, hexOf, vectors } from "./common.mjs";

const { base45, checkChallenge, expectChallenge, readChallenge } = fengni;
const file = vectors("challenges");
const refusedAs = (code) => (error) => error.code === code;

test("vectors", async () => {
  for (const { text, key, message, hash, nonce, key_number, ...rest } of file.accepted) {
    const found = await readChallenge(` ${text}\n`, file.network);
    assert.deepEqual({ ...rest, key_number, nonce, message, hash }, {
      key_number: found.key, nonce: hexOf(found.nonce), message: hexOf(found.message), hash: found.hash,
      verifier: found.verifier, purpose: found.purpose, issued_secs: found.issued_secs, lifetime_secs: found.lifetime_secs,
    });
    checkChallenge(found, asker(key), 7, found.issued_secs * 1000);
  }
  for (const { text, why } of file.refused) await assert.rejects(readChallenge(text, file.network), refusedAs("malformed"), why);
});

test("y11_a_wallet_answers_whom_the_register_knows_and_in_time", async () => {
  const { text, key } = file.accepted[0];
  const found = await readChallenge(text, file.network);
  const now = found.issued_secs * 1000;
  const end = (found.expires_secs + 30) * 1000;
  const check = (member, height = 7, at = now) => () => checkChallenge(found, member, height, at);
  for (const at of [now - 30_000, end]) check(asker(key), 7, at)();
  assert.throws(check(asker(key), 7, now - 30_001), refusedAs("early"));
  assert.throws(check(asker(key), 7, end + 1), refusedAs("expired"));
  assert.throws(check({ ...asker(key), status: "suspended" }), refusedAs("not-active"));
  assert.throws(check(asker(key, { purpose: "issuing" })), refusedAs("key"));
  assert.throws(check(asker(key, { from: 8 })), refusedAs("key"));
  assert.throws(check(asker(key, { until: 6 })), refusedAs("key"));
  assert.throws(check({ status: "active", keys: [] }), refusedAs("key"));
  assert.throws(check(asker(file.accepted[1].key)), refusedAs("signature"));
  const elsewhere = await readChallenge(text, "08".repeat(32));
  assert.throws(() => checkChallenge(elsewhere, asker(key), 7, now), refusedAs("signature"));
});

test("y12_a_verifier_takes_answers_to_its_own_question", async () => {
  const found = await readChallenge(file.accepted[0].text, file.network);
  const { verifier, purpose } = found;
  const now = found.issued_secs * 1000;
  expectChallenge(found, { verifier, purpose }, now);
  assert.throws(() => expectChallenge(found, { verifier: verifier + 1, purpose }, now), refusedAs("other"));
  assert.throws(() => expectChallenge(found, { verifier, purpose: purpose + 1 }, now), refusedAs("other"));
  assert.throws(() => expectChallenge(found, { verifier, purpose }, now + 3_600_000), refusedAs("expired"));
});

test("every challenge has one text, and a changed one is another's or nobody's", async () => {
  const { text, key } = file.accepted[0];
  const bytes = base45.decode(text.slice(4));
  const now = file.accepted[0].issued_secs * 1000;
  for (let at = 0; at < bytes.length; at += 1) {
    const other = Uint8Array.from(bytes);
    other[at] ^= 1;
    const attempt = readChallenge(`FC1:${base45.encode(other)}`, file.network).then((found) => checkChallenge(found, asker(key), 7, now));
    await assert.rejects(attempt, (error) => typeof error.code === "string", `byte ${at}`);
  }
  // The verifier's number in two bytes instead of one; a byte behind the end.
  const longer = [...bytes.slice(0, 2), 0x18, bytes[2], ...bytes.slice(3)];
  for (const wrong of [longer, [...bytes, 0]]) {
    await assert.rejects(readChallenge(`FC1:${base45.encode(wrong)}`, file.network), refusedAs("malformed"));
  }
});

/** A member whose second key signs challenges. */
function asker(key, changes = {}) {
  const other = { purpose: "admin", key: "1:00", from: 0, until: null };
  return { status: "active", keys: [other, { purpose: "application", key, from: 0, until: null, ...changes }] };
}
