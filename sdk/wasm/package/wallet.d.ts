/** Types of `fengni/wallet`, the demo wallet. */

import type { Place } from "./index.js";

/** Loads the wallet's WebAssembly, once: from the file beside, or from what is given. */
export function loadWallet(source?: RequestInfo | URL | Response | BufferSource | WebAssembly.Module): Promise<void>;

export interface Held {
  identifier: string;
  place: Place;
  certificate_type: string | null;
  type_code: string;
  issuer: string;
  from: string;
  until: string | null;
  has_key: boolean;
  lifetime_secs: number | null;
  purposes: number[];
  fields: { label: string; value: string | null; everyday: boolean; sensitive: boolean }[];
}

export interface Made { text: string; issued_secs: number; expires_secs: number; bytes: number; with_path: boolean }

/** A grant as its holder reads it (`sdk/spec/access.md`, I-3). */
export interface Grant {
  place: Place;
  grantee: number;
  contact: string;
  purpose: number;
  item: string;
  case: string | null;
  method: string;
  kinds: { what: { resource: { resource: number; fields: number[]; mode: string } } | { showing: { certificate_type: number } }; uses: number }[];
  from: number;
  until: number;
  separate_consent: boolean;
}

/** A state proof, and what a register or verifier that believes it gave to keep (`save`). */
export interface Evidence { proof: Uint8Array; trusted: Uint8Array }

/** A receipt as a provider gives it (`sdk/spec/gateway.md`, I-27). */
export interface HeldReceipt { receipt: object; path: object | null; place: Place | null }

/** What a receipt is worth. `counted`: the ledger counts its number, and the leaves of that batch decide. */
export interface Judged {
  worth: { holds: "anchored" | "waiting" | "late" } | "counted" | { unfit: string };
  sides: "both" | "provider" | null;
  /** Numbers of the wallet's grant that it was used under, and of the kind in it. */
  grant: [number, number] | null;
}

/** Numbers of uses of one kind of a grant that no receipt has, or that several have. */
export interface Miscount { resource: number; mode: string; first: number; last: number; is_repeated: boolean }

export interface CertificateStanding { state: string; disputed: boolean; key_blocked: boolean; held: boolean; suspended: boolean }

export class Wallet {
  constructor(network: string);
  open(file: string): void;
  add(certificate: Uint8Array): void;
  addKey(file: string): void;
  learn(encoded: string): void;
  list(): Held[];
  show(
    identifier: string,
    what: { purpose: number; fields?: string[]; lifetime_secs?: number; challenge?: string },
    now: number,
    nonce?: Uint8Array,
  ): Made;
  addGrant(file: string): void;
  grants(): Grant[];
  grantStanding(grant: number, evidence: Evidence, now: number): "active" | "withdrawn" | "outside-period" | "suspended" | null;
  /** `receipts`: all that holds of what its providers gave, from the first on (I-16). */
  miscounts(grant: number, receipts: object[]): Miscount[];
  withdrawal(grant: number): string;
  /** `fields` are the labels that name the holder; without any the question is by the key alone. */
  ask(identifier: string, what: { provider: number; from?: number; fields?: string[] }, now: number, nonce?: Uint8Array): string;
  placesOf(receipts: HeldReceipt[], provider: number, evidence: Evidence, now: number): string[];
  judge(receipts: HeldReceipt[], provider: number, evidence: Evidence, now: number): Judged[];
  pathOf(receipt: object, first: number, leaves: string[]): object | null;
  certificateStanding(identifier: string, evidence: Evidence, now: number): CertificateStanding;
  free(): void;
}

export function qr(text: string): { size: number; modules: Uint8Array };
