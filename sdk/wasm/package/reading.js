// What verifier and register share: checkpoints on their way in, proofs and headers on their way out.

import { entry } from "./records.js";

/**
 * A checkpoint in the ledger's encoding (`sdk/spec/encoding.md`): integers of fixed width, the least
 * byte first, and lengths before lists. What is no checkpoint is refused where it is read.
 */
export function checkpointBytes({ network, suite, height, time, block, validators, trusting_period_secs }) {
  const keys = validators.map(({ key }) => key.split(":"));
  const bytes = [];
  const u = (width, number) => {
    for (let at = 0n, rest = BigInt(number); at < width; at += 1n, rest >>= 8n) bytes.push(Number(rest & 0xffn));
  };
  const hex = (text) => bytes.push(...(text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
  hex(network);
  u(1, suite);
  u(8, height);
  u(8, time);
  u(1, block ? 1 : 0);
  if (block) hex(block);
  u(8, validators.length);
  validators.forEach(({ member, power }, place) => {
    const [algorithm, key] = keys[place];
    u(4, member);
    u(8, 1 + key.length / 2);
    u(1, algorithm);
    hex(key);
    u(8, power);
  });
  u(8, trusting_period_secs);
  return Uint8Array.from(bytes);
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
