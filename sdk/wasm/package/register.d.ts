/** Types of the package's `register` part. */

import type { Checkpoint, Header, ProvenEntries, Trust } from "./index.js";

/** Loads the register's WebAssembly, once. */
export function loadRegister(source?: RequestInfo | URL | Response | BufferSource | WebAssembly.Module): Promise<void>;

export class Register {
  constructor(checkpoint: Checkpoint);
  resume(saved: Uint8Array): void;
  save(): Uint8Array;
  trust(now: number): Trust;
  follow(handovers: Uint8Array, now: number): number;
  checkProof(proof: Uint8Array, now: number): ProvenEntries;
  checkHeader(bytes: Uint8Array, now: number): Header;
  checkBlock(bytes: Uint8Array, now: number): { header: Header; transactions: number; bytes: number };
  free(): void;
}
