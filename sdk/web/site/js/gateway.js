// The gateway that serves this page: what it answers is bytes, and is believed by nobody here.

const TIMEOUT_MILLIS = 8000;
/** A pack may have some megabytes, and the line may be slow. */
const PACK_TIMEOUT_MILLIS = 300_000;

/** Why there is no answer: `unreachable`, `not-found` or `refused`. */
export class NoAnswer extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

const OCTETS = "application/octet-stream";

async function ask(path, accept = OCTETS, patience = TIMEOUT_MILLIS) {
  let answer;
  try {
    const address = new URL(`../v1/${path}`, document.baseURI);
    answer = await fetch(address, {
      headers: { accept }, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(patience),
    });
  } catch (error) {
    throw new NoAnswer("unreachable", String(error));
  }
  if (answer.status === 404) throw new NoAnswer("not-found", "404");
  if (!answer.ok) throw new NoAnswer("refused", String(answer.status));
  // A service worker or a proxy may hand out a page where an answer was asked for.
  if (!(answer.headers.get("content-type") ?? "").startsWith(accept)) throw new NoAnswer("refused", "not of the type asked for");
  return new Uint8Array(await answer.arrayBuffer().catch((error) => { throw new NoAnswer("unreachable", String(error)); }));
}

export const latestHeader = () => ask("headers/latest");
export const header = (height) => ask(`headers/${height}`);
export const block = (height) => ask(`blocks/${height}`);
export const proof = (places) => ask(`proofs?places=${places.join(",")}`);
export const lineProof = ({ book, line, service }, verifier) =>
  ask(`proofs/line?book=${book}&line=${line}&verifier=${verifier}${service === null ? "" : `&service=${service}`}`);
export const identifierProof = (identifier, verifier) =>
  ask(`proofs/identifier/${encodeURIComponent(identifier)}?verifier=${verifier}`);
export const pack = (query) => ask(`packs?${query}`, OCTETS, PACK_TIMEOUT_MILLIS);
