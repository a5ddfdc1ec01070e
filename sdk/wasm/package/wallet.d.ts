/** Types of `fengni/wallet`, the demo wallet. */

/** Loads the wallet's WebAssembly, once: from the file beside, or from what is given. */
export function loadWallet(source?: RequestInfo | URL | Response | BufferSource | WebAssembly.Module): Promise<void>;

export interface Held {
  identifier: string;
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
  free(): void;
}

export function qr(text: string): { size: number; modules: Uint8Array };
