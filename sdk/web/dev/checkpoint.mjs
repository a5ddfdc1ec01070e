// Makes checkpoint.json out of the file in which `fengni ... --state FILE` remembers its light
// client: the set that decides now, the height from which it does, and when that was last known.
//
//   fengni network --home net --state seen.json
//   node dev/checkpoint.mjs seen.json > checkpoint.json

import { readFile } from "node:fs/promises";

export async function checkpoint(file) {
  const seen = JSON.parse(await readFile(file, "utf8"));
  if (seen.ended !== null) throw new Error("a handover is missing: run the command again");
  const [, time] = seen.trusted;
  const { from, validators } = seen.epochs.at(-1);
  return {
    // From the height of the handover, not the newest one: proofs of a moment ago hold as well.
    network: seen.network, suite: seen.suite, height: from - 1, time, block: null,
    validators, trusting_period_secs: seen.trusting_period_secs,
  };
}

if (import.meta.url === new URL(process.argv[1], "file:").href) {
  console.log(JSON.stringify(await checkpoint(process.argv[2]), null, 2));
}
