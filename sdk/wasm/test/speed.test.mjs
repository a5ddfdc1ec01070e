// How many verifications a second one core of this machine does in Node. Printed, not asserted.
// Counted in processor time, because others may share the machine.
//
// FENGNI_PROVINCE=FOLDER, as `fengni-bench packs --write FOLDER` writes it, times a province's pack too.

import test from "node:test";

import { bytesOf, fengni, vectors, verifierOf } from "./common.mjs";
import { province, table, timed } from "./province.mjs";

const MILLIS = 1500;

function perSecond(work) {
  for (let times = 0; times < 50; times += 1) work();
  const began = process.cpuUsage();
  const millis = () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000;
  };
  let count = 0;
  while (millis() < MILLIS) {
    for (let times = 0; times < 20; times += 1) work();
    count += 20;
  }
  return Math.round((count * 1000) / millis());
}

test("verifications a second", () => {
  const { signatures } = vectors("keys");
  const figures = {};
  for (const [name, number] of [["ed25519", "01"], ["P-256", "02"]]) {
    const { key, message, signature } = signatures.find((one) => one.valid && one.key.startsWith(number));
    const [k, m, s] = [key, message, signature].map(bytesOf);
    figures[`${name} signatures`] = perSecond(() => fengni.verifySignature(k, m, s));
  }
  const file = vectors("verdicts");
  const { context, code, proof } = file.cases.find(({ verdict }) => verdict.code === "VALID");
  const [asked, bytes] = [{ verifier: context.verifier, purpose: context.purpose }, bytesOf(file.proofs[proof])];
  const verifier = verifierOf(file, context.now_millis, 3600);
  figures["whole verdicts with a proof"] = perSecond(() => verifier.verify(code, bytes, asked, context.now_millis));
  console.table(figures);
});

const folder = process.env.FENGNI_PROVINCE;

test("from a province's pack to a verdict", { skip: !folder && "FENGNI_PROVINCE names no folder" }, async () => {
  const { scene, pack } = await province(folder);
  table(scene, pack, Array.from({ length: 5 }, () => timed(fengni.Verifier, scene, pack)));
});
