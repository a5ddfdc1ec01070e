// What the tests share: the package as `make web` built it, the vectors, chance that can be repeated.

import { readFileSync } from "node:fs";

const folder = process.env.FENGNI_PACKAGE;
if (!folder) throw new Error("FENGNI_PACKAGE names no folder; next: make test-web");

const part = (name) => import(new URL(`file://${folder}/${name}.js`).href);
export const fengni = {
  ...(await part("index")), ...(await part("register")), ...(await part("wallet")), ...(await part("challenge")), ...(await part("reading")), base45: await part("base45"),
};
await Promise.all([fengni.load(), fengni.loadRegister(), fengni.loadWallet()]);

const VECTORS = new URL("../../spec/vectors/", import.meta.url);
export const vectors = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, VECTORS), "utf8"));

export const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
export const hexOf = (bytes) => Buffer.from(bytes).toString("hex");

export const number = (name, usual) => Number(process.env[name] ?? usual);

/** SplitMix64, as in the core's tests. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = BigInt(seed);
  }

  next() {
    const wrap = (value) => BigInt.asUintN(64, value);
    this.#state = wrap(this.#state + 0x9e3779b97f4a7c15n);
    let mixed = wrap((this.#state ^ (this.#state >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = wrap((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    return mixed ^ (mixed >> 31n);
  }

  below(bound) {
    return Number(this.next() % BigInt(Math.max(1, bound)));
  }
}

const checkpointOf = ({ network, suite, validators }, now, ageSecs) => ({
  network, suite, height: 0, time: now - ageSecs * 1000, block: null, validators,
  // The checkpoint stays where it is, so that its age is the vector's.
  trusting_period_secs: 0,
});

/** The network of the verdict vectors, as a verifier that begins at a checkpoint of an age. */
export const verifierOf = (file, now, ageSecs) => fengni.Verifier.fromCheckpoint(checkpointOf(file, now, ageSecs));

/** The same, as a reader of what is proven. */
export const registerOf = (file, now, ageSecs) => new fengni.Register(checkpointOf(file, now, ageSecs));
