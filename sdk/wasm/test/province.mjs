// A province's pack, as `fengni-bench packs --write FOLDER` writes it, and how long a device takes
// with it. The same function is timed in Node and in a browser, so it names nothing outside itself.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

export async function province(folder) {
  const scene = JSON.parse(await readFile(join(folder, "scene.json"), "utf8"));
  return { scene, pack: new Uint8Array(await readFile(join(folder, "pack"))) };
}

/** Milliseconds of each step from bytes to a verdict. Throws where a code is not valid. */
export function timed(Verifier, { checkpoint, verifier: member, purpose, now, codes }, pack) {
  const figures = {};
  const step = (name, work) => {
    const began = performance.now();
    const made = work();
    figures[name] = performance.now() - began;
    return made;
  };
  const judge = (verifier, code) => () => {
    const { verdict } = verifier.verifyOffline(code, { verifier: member, purpose }, now);
    if (verdict.code !== "VALID_OFFLINE") throw new Error(JSON.stringify(verdict));
  };
  const fresh = Verifier.fromCheckpoint(checkpoint);
  step("updatePack", () => fresh.updatePack(pack, now));
  step("first verdict", judge(fresh, codes[0]));
  step("next verdict", judge(fresh, codes[1]));
  const saved = step("savePack", () => fresh.savePack());
  fresh.free();
  const again = Verifier.fromCheckpoint(checkpoint);
  step("resumePack", () => again.resumePack(saved));
  step("first verdict after it", judge(again, codes[2]));
  again.free();
  return figures;
}

/** The middle figure of each step, and how many bytes and certificates it is about. */
export function table({ certificates }, pack, runs) {
  const middle = (name) => runs.map((run) => run[name]).sort((a, b) => a - b)[Math.floor(runs.length / 2)];
  const rows = Object.fromEntries(Object.keys(runs[0]).map((name) => [name, { ms: Number(middle(name).toFixed(1)) }]));
  const usable = middle("updatePack") + middle("first verdict");
  console.log(`${certificates} certificates, ${pack.length} bytes: usable after ${usable.toFixed(0)} ms`);
  console.table(rows);
}
