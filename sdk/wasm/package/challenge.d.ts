/** Types of `fengni/challenge`, the questions of verifiers: `sdk/spec/codes.md`, Y-10 to Y-12. */

export interface Challenge {
  text: string;
  /** Number of the member that asks, and of its key that signs. */
  verifier: number;
  key: number;
  purpose: number;
  issued_secs: number;
  lifetime_secs: number;
  expires_secs: number;
  nonce: Uint8Array;
  signature: Uint8Array;
  message: Uint8Array;
  /** What an answering code carries, in hexadecimal: `challenge` of a question and of `Wallet.show`. */
  hash: string;
}

export class ChallengeError extends Error {
  code: "malformed" | "not-active" | "key" | "signature" | "early" | "expired" | "other";
}

/** A member's record as `checkProof` proves it. */
export interface Asker {
  status: string;
  keys: { purpose: string; key: string; from: number; until: number | null }[];
}

export function isChallenge(text: string): boolean;
/** Throws a `ChallengeError` where the text is no challenge. `crypto.subtle` has to be there: HTTPS, or this host. */
export function readChallenge(text: string, network: string): Promise<Challenge>;
/** For the holder: whether the member asks that it names. */
export function checkChallenge(challenge: Challenge, member: Asker, height: number, now: number): void;
/** For the verifier: whether an answer may still be taken. */
export function expectChallenge(challenge: Challenge, asked: { verifier: number; purpose: number }, now: number): void;
