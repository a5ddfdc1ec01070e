// Codes and proofs that were tampered with: nothing traps, and no altered code verifies.
//
// FENGNI_MUTATIONS=1000000 tries more, FENGNI_SEED=7 others.

import test from "node:test";
import assert from "node:assert/strict";

import { Random, bytesOf, fengni, number, vectors, registerOf, verifierOf } from "./common.mjs";

const { decode, encode } = fengni.base45;
const [COUNT, SEED] = [number("FENGNI_MUTATIONS", 20_000), number("FENGNI_SEED", 1)];

/** One to three small harms: a bit, an odd byte, a piece cut, doubled or moved. */
function harm(random, bytes) {
  const other = [...bytes];
  for (let times = random.below(3); times >= 0; times -= 1) {
    const at = random.below(other.length);
    const length = random.below(40);
    switch (random.below(6)) {
      case 0: other[at] ^= 1 << random.below(8); break;
      case 1: other[at] = [0, 1, 2, 0x7f, 0x80, 0xff][random.below(6)]; break;
      case 2: other.length = Math.max(1, at); break;
      case 3: other.splice(at, length); break;
      case 4: other.splice(random.below(other.length), 0, ...other.slice(at, at + length)); break;
      default: other.push(random.below(256));
    }
    if (other.length === 0) other.push(0);
  }
  return other;
}

const file = vectors("verdicts");
const { context, code, proof } = file.cases.find(({ verdict }) => verdict.code === "VALID");
const asked = { verifier: context.verifier, purpose: context.purpose };
const [now, whole] = [context.now_millis, bytesOf(file.proofs[proof])];

test(`${COUNT} altered codes, seed ${SEED}`, () => {
  const random = new Random(SEED);
  const verifier = verifierOf(file, now, 3600);
  const codes = file.cases.map((one) => one.code).filter((text) => verifier.place(text).kind === "code");
  const found = {};
  for (let at = 0; at < COUNT; at += 1) {
    const right = codes[at % codes.length];
    const bytes = decode(right.slice(4));
    assert.equal(`FN1:${encode(bytes)}`, right);
    // Mostly the bytes behind the text, now and then the text itself.
    const text = at % 8 === 0 ? harm(random, [...right].map((letter) => letter.charCodeAt(0))).map((unit) => String.fromCharCode(unit)).join("")
      : `FN1:${encode(harm(random, bytes))}`;
    // Space around a text is no part of it; U+0085 is space to Unicode, though not to trim().
    if (codes.includes(text.replace(/^[\s\u0085]+|[\s\u0085]+$/gu, ""))) continue;
    verifier.place(text);
    const { verdict } = verifier.verify(text, at % 3 === 0 ? null : whole, asked, now);
    assert.notEqual(verdict.answer, "valid", `input ${at} of seed ${SEED}: ${text}`);
    if (at % 16 === 0) verifier.verifyOffline(text, asked, now);
    found[verdict.code] = (found[verdict.code] ?? 0) + 1;
  }
  assert.ok(Object.keys(found).length > 3, "some must get past the first check");
  assert.equal(verifier.verify(code, whole, asked, now).verdict.code, "VALID", "the instance is as good as before");
  console.log(JSON.stringify(found));
});

test(`${COUNT >> 2} altered proofs and other bytes, seed ${SEED}`, () => {
  const random = new Random(SEED + 1);
  const attempts = [
    (verifier, bytes) => verifier.checkProof(bytes, now),
    (verifier, bytes) => verifier.checkHeader(bytes, now),
    (_, bytes) => registerOf(file, now, 3600).checkProof(bytes, now),
    (_, bytes) => registerOf(file, now, 3600).checkBlock(bytes, now),
    (verifier, bytes) => verifier.follow(bytes, now),
    (verifier, bytes) => verifier.updatePack(bytes, now),
    (verifier, bytes) => verifier.resume(bytes),
    (verifier, bytes) => verifier.resumePack(bytes),
  ];
  for (let at = 0; at < COUNT >> 2; at += 1) {
    const verifier = verifierOf(file, now, 3600);
    const bytes = Uint8Array.from(harm(random, whole));
    try {
      attempts[at % attempts.length](verifier, bytes);
    } catch (error) {
      assert.ok(!(error instanceof WebAssembly.RuntimeError), `input ${at} of seed ${SEED + 1}: ${error}`);
    }
    verifier.free();
  }
  assert.equal(verifierOf(file, now, 3600).verify(code, whole, asked, now).verdict.code, "VALID");
});

test("odd arguments are errors or verdicts, never traps", () => {
  const { qr, checkIdentifier, verifySignature, Wallet } = fengni;
  const verifier = verifierOf(file, now, 3600);
  for (const text of ["", " ", "FN1:", "fn1:", "\u0000", "号", "FN1:".repeat(2000), "1.2.156.3005.2.", "😀"]) {
    verifier.place(text);
    verifier.verify(text, null, asked, now);
    checkIdentifier(text);
    try { qr(text); } catch (error) { assert.ok(!(error instanceof WebAssembly.RuntimeError)); }
  }
  for (const time of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1e300]) {
    assert.notEqual(verifier.verify(code, whole, asked, time).verdict.answer, "valid");
  }
  assert.equal(verifySignature(new Uint8Array(), new Uint8Array(), new Uint8Array()), false);
  assert.throws(() => new Wallet("00"), /hexadecimal/);
});
