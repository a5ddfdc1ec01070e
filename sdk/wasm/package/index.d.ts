/** Types of the package `fengni`. Names in JSON are those of `sdk/spec/`. */

export type Answer = "valid" | "refused" | "undecided";
export type Grade = "A" | "B" | "C" | "D";
/** How an identity service has checked the holder: by name (实名) or in person (实人). */
export type Assurance = "real-name" | "real-person";

export interface Place { book: number; line: number }
export interface Reason { en: string; zh: string }

/** `sdk/spec/verdicts.md`, Form. */
export interface Verdict {
  schema: number;
  answer: Answer;
  code: string;
  reason: Reason;
  /** The reason in at most forty characters, in Chinese. */
  plain_text: string;
  display: "normal" | "abnormal";
  detail: ({ kind: string } & Record<string, unknown>) | null;
  warnings: string[];
  checked: string[];
  ages: { holder_proof_secs: number | null; standing_secs: number | null; checkpoint_secs: number | null };
  as_of: { height: number; time: number } | null;
  document: {
    certificate_type: string;
    issuer: string;
    identifier: string;
    place: Place;
    grade: Grade | null;
    validity: [string, string | null] | null;
    claims: { label: string; value: string | null; as_of?: string }[];
  } | null;
  /** Who vouches for the holder, in a valid answer. */
  assurance: { level: Assurance; service: string; time_secs: number } | null;
}

/** `sdk/core/src/light/checkpoint.rs`. */
export interface Checkpoint {
  network: string;
  suite: number;
  height: number;
  /** Milliseconds since 1970. */
  time: number;
  block: string | null;
  validators: { member: number; key: string; power: number }[];
  trusting_period_secs: number;
}

export interface Question {
  /** Number of the member that verifies. */
  verifier: number;
  /** Code of the purpose. */
  purpose: number;
  min_grade?: Grade;
  min_assurance?: Assurance;
  /** Hash of the challenge that was shown, in hexadecimal. */
  challenge?: string;
  /** Why there is no proof: `not-found` where every gateway finds no such identifier. */
  unproven?: "not-found" | string;
}

export interface Checked {
  verdict: Verdict;
  /** `lied`: what the gateway gave does not hold, worth a report. */
  trouble: { kind: "lied" | "unjudged" | "behind"; message: string } | null;
}

export type Scanned =
  | { kind: "code"; book: number; line: number; purpose: number; issued_secs: number; expires_secs: number; with_path: boolean; service: number | null }
  | { kind: "identifier"; identifier: string }
  | { kind: "static"; identifier: string }
  | { kind: "malformed"; verdict: Verdict };

export interface Header {
  version: number;
  suite: number;
  network: string;
  height: number;
  time: number;
  parent: string;
  proposer: number;
  transactions: string;
  outcomes: string;
  parent_certificate: string;
  state_root: string;
  next_validators: string;
  id: string;
  round: number;
  signers: number[];
  signed_power: number;
  quorum: number;
  power: number;
}

export interface ProvenEntries {
  header: Header;
  /** Records of each registry. */
  sizes: Record<string, number>;
  /** By place: `members/3`, `page/0/1`, ...; a verifier shows members, reference codes and the names of types; others are null. */
  entries: Record<string, any>;
}

export interface Trust {
  network: string;
  checkpoint_height: number;
  checkpoint_time: number;
  checkpoint_age_secs: number;
  newest_height: number | null;
  newest_time: number | null;
  contradictions: number;
  /** What to ask `/v1/handovers?since=` with. */
  handovers_since: number;
}

/** `sdk/spec/packs.md`. */
export interface PackAtHand { height: number; time: number; types: number[]; regions: string[]; books: number; lines: number }

/** Loads the WebAssembly, once: from the file beside, or from what is given. */
export function load(source?: RequestInfo | URL | Response | BufferSource | WebAssembly.Module): Promise<void>;

export class Verifier {
  static fromCheckpoint(checkpoint: Checkpoint): Verifier;
  resume(saved: Uint8Array): void;
  save(): Uint8Array;
  pin(checkpoint: Checkpoint): void;
  readonly network: string;
  trust(now: number): Trust;
  place(text: string): Scanned;
  verify(text: string, proof: Uint8Array | null, asked: Question, now: number): Checked;
  checkProof(proof: Uint8Array, now: number): ProvenEntries;
  checkHeader(bytes: Uint8Array, now: number): Header;
  follow(handovers: Uint8Array, now: number): number;
  subscribe(to?: { types?: number[]; regions?: string[] }): void;
  packQuery(full?: boolean): string;
  updatePack(bytes: Uint8Array, now: number): PackAtHand;
  readonly pack: PackAtHand | null;
  savePack(): Uint8Array;
  resumePack(saved: Uint8Array): void;
  verifyOffline(text: string, asked: Question, now: number): Checked;
  free(): void;
}

export interface Finding {
  kind: string;
  valid: boolean;
  problem: {
    name: string;
    rule: string;
    message: string;
    at: number | null;
    found: string | null;
    expected: string | null;
  } | null;
  parts: { type_code: string; issuer: string; serial: string; version: string; check: string } | null;
}

export function checkIdentifier(text: string): Finding;
export function verifySignature(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
