// What verifier and register share: checkpoints on their way in, proofs and headers on their way out.

import { entry } from "./records.js";

/** A checkpoint in the WebAssembly's terms. */
export function checkpointOf(core, { network, suite, height, time, block, validators, trusting_period_secs }) {
  const column = (name) => validators.map((validator) => validator[name]);
  return new core.Checkpoint(
    network, suite, height, time, block ?? undefined, trusting_period_secs,
    Uint32Array.from(column("member")), column("key"), Float64Array.from(column("power")),
  );
}

/** An answer with its header and who made it final. */
export function flat(json) {
  const { finality: { header, ...signed }, ...rest } = JSON.parse(json);
  return { header: { ...header, ...signed }, ...rest };
}

/** A header and who made it final. */
export function header(json) {
  const { header: found, ...signed } = JSON.parse(json);
  return { ...found, ...signed };
}

/** Entries of a proof as people read them. */
export function proof(json) {
  const proven = flat(json);
  for (const [place, record] of Object.entries(proven.entries)) proven.entries[place] = entry(place, record);
  return proven;
}
