// The gateway that serves this page: what it answers is bytes, and is believed by nobody here.

const TIMEOUT_MILLIS = 8000;

/** Why there is no answer: `unreachable`, `busy`, `not-found`, `too-large`, `stopped` or `refused`. */
export class NoAnswer extends Error {
  constructor(kind, message, { retryAfter } = {}) {
    super(message);
    this.kind = kind;
    /** Seconds after which the gateway wants to be asked again. */
    this.retryAfter = retryAfter;
  }
}

const OCTETS = "application/octet-stream";
const KINDS = { 404: "not-found", 422: "too-large", 429: "busy", 503: "busy" };

/** Asks the gateway, and gives its answer once the head of it is what was asked for. */
export async function reach(path, { accept = OCTETS, headers = {}, signal }) {
  let answer;
  try {
    const address = new URL(`../v1/${path}`, document.baseURI);
    answer = await fetch(address, { headers: { accept, ...headers }, cache: "no-store", credentials: "omit", signal });
  } catch (error) {
    throw new NoAnswer("unreachable", String(error));
  }
  if (!answer.ok) {
    const retryAfter = Number(answer.headers.get("retry-after") ?? Number.NaN);
    throw new NoAnswer(KINDS[answer.status] ?? "refused", String(answer.status), { retryAfter });
  }
  // A service worker or a proxy may hand out a page where an answer was asked for.
  if (!(answer.headers.get("content-type") ?? "").startsWith(accept)) throw new NoAnswer("refused", "not of the type asked for");
  return answer;
}

async function ask(path, accept = OCTETS) {
  const answer = await reach(path, { accept, signal: AbortSignal.timeout(TIMEOUT_MILLIS) });
  return new Uint8Array(await answer.arrayBuffer().catch((error) => { throw new NoAnswer("unreachable", String(error)); }));
}

export const latestHeader = () => ask("headers/latest");
export const header = (height) => ask(`headers/${height}`);
/** Handovers of validators above a height: a list in the ledger's encoding. */
export const handovers = (since) => ask(`handovers?since=${since}`);
/** Recoveries whose first block is above a height: a list in the ledger's encoding. */
export const recoveries = (since) => ask(`recoveries?since=${since}`);
export const block = (height) => ask(`blocks/${height}`);
export const proof = (places) => ask(`proofs?places=${places.join(",")}`);
export const lineProof = ({ book, line, service }, verifier) =>
  ask(`proofs/line?book=${book}&line=${line}&verifier=${verifier}${service === null ? "" : `&service=${service}`}`);
export const identifierProof = (identifier, verifier) =>
  ask(`proofs/identifier/${encodeURIComponent(identifier)}?verifier=${verifier}`);
/** What there is to subscribe to, and about how large it is: a view, which proves nothing. */
export const packIndex = async () => JSON.parse(new TextDecoder().decode(await ask("packs/index", "application/json")));
