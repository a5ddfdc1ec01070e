// The vectors of sdk/spec hold in WebAssembly as they do in Rust.

import test from "node:test";
import assert from "node:assert/strict";

import { bytesOf, fengni, hexOf, vectors, registerOf, verifierOf } from "./common.mjs";

const { checkpointBytes, Verifier, Wallet, checkIdentifier, verifySignature } = fengni;

test("verdicts", () => {
  const file = vectors("verdicts");
  for (const { story, code, proof, context, verdict } of file.cases) {
    const verifier = verifierOf(file, context.now_millis, context.checkpoint_age_secs);
    const asked = { verifier: context.verifier, purpose: context.purpose, min_grade: context.min_grade, min_assurance: context.min_assurance, challenge: context.challenge };
    const { verdict: found, trouble } = verifier.verify(code, bytesOf(file.proofs[proof]), asked, context.now_millis);
    assert.equal(trouble, null, story);
    const { answer, detail, warnings, assurance, document, display, plain_text } = found;
    // A verifier remembers codes, which the vectors leave out.
    const checked = found.checked.filter((check) => check !== "single-use");
    assert.deepEqual({ answer, code: found.code, detail, warnings, assurance, checked, display, plain_text, claims: document?.claims ?? [] }, verdict, story);
    verifier.free();
  }
  console.log(`verdicts: ${file.cases.length} cases`);
});

test("codes", () => {
  const file = vectors("codes");
  const verifier = verifierOf({ ...file, validators: vectors("verdicts").validators }, 0, 0);
  for (const { text } of file.accepted) assert.equal(verifier.place(text).kind, "code");
  for (const { text, why } of file.refused) {
    const found = verifier.place(text);
    assert.equal(found.kind, "malformed", why);
    assert.equal(found.verdict.code, "MALFORMED", why);
  }
  console.log(`codes: ${file.accepted.length} accepted, ${file.refused.length} refused`);
});

test("proofs", () => {
  const file = vectors("proofs");
  const validators = setOf(bytesOf(file.validators));
  for (const of of [registerOf, verifierOf]) {
    const fresh = () => of({ network: file.network, suite: 1, validators }, file.header.value.time, 0);
    for (const { hex, entries } of file.accepted) {
      const proven = fresh().checkProof(bytesOf(hex), file.header.value.time);
      assert.deepEqual(Object.keys(proven.entries).sort(), entries.map(({ place }) => place).sort());
      assert.equal(proven.header.id, file.header.id);
      for (const [name, value] of Object.entries(file.header.value)) assert.deepEqual(proven.header[name], value, name);
    }
    for (const { hex, why } of file.refused) {
      assert.throws(() => fresh().checkProof(bytesOf(hex), file.header.value.time), isRefusal, why);
    }
  }
  console.log(`proofs: ${file.accepted.length} accepted, ${file.refused.length} refused`);
});

test("identifiers", () => {
  const file = vectors("identifiers");
  const names = { certificate: "certificate identifier", type: "type code", credit: "credit code", resident: "resident number", organisation: "organisation code", division: "division code" };
  let reached = 0;
  for (const { text, kind, error } of file.shapes) {
    const found = checkIdentifier(text);
    assert.equal(found.kind, kind, text);
    assert.equal(found.problem?.name ?? null, error, text);
  }
  for (const { text, kind } of file.accepted) {
    const found = checkIdentifier(text);
    // Some codes are of two shapes; the vectors name the reader, not the guess.
    if (found.kind !== names[kind]) continue;
    assert.ok(found.valid, text);
    reached += 1;
  }
  for (const { text, kind, error, at, expected } of file.refused) {
    const found = checkIdentifier(text);
    if (found.kind !== names[kind] || found.problem?.name !== error) continue;
    // The module leaves Rust's debugging texts out: no sentence may need them.
    if (found.problem.found) assert.match(found.problem.message, /is ('.+'|.), expected/);
    if (at !== undefined) assert.equal(found.problem.at, at, text);
    if (expected !== undefined) assert.equal(found.problem.expected, expected, text);
    reached += 1;
  }
  assert.ok(reached > 140, `only ${reached} were reached`);
  for (const { text, ...parts } of file.parts) {
    const found = checkIdentifier(text).parts;
    assert.deepEqual(
      { type: found.type_code, issuer: found.issuer, serial: found.serial, version: Number(found.version), check: found.check },
      { type: parts.type, issuer: parts.issuer, serial: parts.serial, version: parts.version, check: parts.check });
  }
  console.log(`identifiers: ${file.shapes.length} shapes, ${reached} readings, ${file.parts.length} taken apart`);
});

test("keys and signatures", () => {
  const file = vectors("keys");
  for (const { key, message, signature, valid, what } of file.signatures) {
    assert.equal(verifySignature(bytesOf(key), bytesOf(message), bytesOf(signature)), valid, what);
  }
  const { message, signature } = file.signatures[0];
  for (const { wire, why } of file.refused) assert.equal(verifySignature(bytesOf(wire), bytesOf(message), bytesOf(signature)), false, why);
  console.log(`keys: ${file.signatures.length} signatures, ${file.refused.length} refused keys`);
});

test("checkpoints are given to the module in the ledger's encoding", () => {
  const { checkpoints } = vectors("finality");
  for (const { hex, signed } of checkpoints) {
    const bytes = hexOf(checkpointBytes(signed.checkpoint));
    assert.ok(hex.startsWith(bytes) && bytes.length > 200);
  }
  const [{ signed: { checkpoint } }] = checkpoints;
  assert.throws(() => fengni.Verifier.fromCheckpoint({ ...checkpoint, network: "46" }), isRefusal);
  assert.throws(() => fengni.Verifier.fromCheckpoint({ ...checkpoint, validators: [] }), isRefusal);
  console.log(`checkpoints: ${checkpoints.length}`);
});

test("certificate files", () => {
  const file = vectors("certificates");
  const wallet = () => new Wallet(file.network);
  const whole = file.certificates.filter((certificate) => certificate.file);
  for (const { file: hex } of whole) {
    const held = wallet();
    held.add(bytesOf(hex));
    assert.equal(held.list().length, 1);
  }
  for (const { file: hex, why } of file.refused.filter((refused) => refused.file)) {
    assert.throws(() => wallet().add(bytesOf(hex)), isRefusal, why);
  }
  console.log(`certificate files: ${whole.length} accepted`);
});

test("a light client goes on where it was saved, and on no other network", () => {
  const file = vectors("verdicts");
  const { context, proof } = file.cases[0];
  const verifier = verifierOf(file, context.now_millis, context.checkpoint_age_secs);
  verifier.checkProof(bytesOf(file.proofs[proof]), context.now_millis);
  const again = verifierOf(file, context.now_millis, context.checkpoint_age_secs);
  again.resume(verifier.save());
  assert.deepEqual(again.trust(context.now_millis), verifier.trust(context.now_millis));
  const other = verifierOf({ ...file, network: "46".repeat(32) }, context.now_millis, 0);
  assert.throws(() => other.resume(verifier.save()), isRefusal);
});

/** What is refused is an error with a sentence, never a trap. */
function isRefusal(error) {
  return !(error instanceof WebAssembly.RuntimeError) && error.message.length > 0;
}

/** A set of validators from the ledger's encoding: count, then member, key and power of each. */
function setOf(bytes) {
  const view = new DataView(bytes.buffer);
  const set = [];
  for (let at = 8, left = Number(view.getBigUint64(0, true)); left > 0; left -= 1) {
    const member = view.getUint32(at, true);
    const length = Number(view.getBigUint64(at + 4, true));
    const key = bytes.subarray(at + 12, at + 12 + length);
    set.push({ member, key: `${key[0]}:${hexOf(key.subarray(1))}`, power: Number(view.getBigUint64(at + 12 + length, true)) });
    at += 20 + length;
  }
  return set;
}
