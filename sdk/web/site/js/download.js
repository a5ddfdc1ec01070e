// A download that goes on where it broke off: what is missing is asked for under the tag of what came
// before, so that no two answers are ever glued together. Rule N-20 of `sdk/spec/http.md`.

import { NoAnswer, reach } from "./gateway.js";

/** How long to wait after each failure in a row; a piece that came begins anew. */
const PAUSES_MILLIS = [500, 1000, 2000, 4000, 8000, 15_000];
/** A connection that says nothing for so long is given up. */
const SILENCE_MILLIS = 15_000;
const RETRY_AFTER_SECS_MAX = 60;

/** What has come of an answer so far: plain data, so that a device can keep it. */
export const nothing = (path) => ({ path, tag: null, whole: null, got: 0, pieces: [] });

/**
 * Fetches the rest of an answer.
 *
 * - `part`: what has come so far, of `nothing` or of an earlier attempt; grows as pieces come.
 * - `limit`: bytes of the whole, at most.
 * - `onProgress(part)`: after each piece.
 * - `onBreak(part, millis)`: after a failure, before the pause that follows it.
 *
 * Returns all bytes. Throws `NoAnswer`: `unreachable` after six failures in a row, `stopped` by the
 * signal, `too-large`, or what the gateway says.
 */
export async function download(part, { limit, onProgress, onBreak, signal }) {
  let failures = 0;
  for (;;) {
    const before = part.got;
    try {
      await goOn(part, limit, onProgress, signal);
      return joined(part);
    } catch (error) {
      if (signal.aborted) throw new NoAnswer("stopped", "stopped by hand");
      if (!["unreachable", "busy"].includes(error.kind)) throw error;
      failures = part.got > before ? 0 : failures + 1;
      if (failures === PAUSES_MILLIS.length) throw error;
      const asked = Math.min(error.retryAfter || 0, RETRY_AFTER_SECS_MAX) * 1000;
      const millis = Math.max(asked, PAUSES_MILLIS[failures]);
      await onBreak(part, millis);
      await pause(millis, signal);
    }
  }
}

/** One connection: from what there is to the end, or until it breaks. */
async function goOn(part, limit, onProgress, signal) {
  if (part.got > 0 && part.got === part.whole) return;
  const connection = new AbortController();
  const end = () => connection.abort();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(end, SILENCE_MILLIS);
  };
  signal.addEventListener("abort", end);
  heard();
  try {
    signal.throwIfAborted();
    const headers = part.got > 0 && part.tag ? { range: `bytes=${part.got}-`, "if-range": part.tag } : {};
    const answer = await reach(part.path, { headers, signal: connection.signal });
    begin(part, answer);
    if (part.whole > limit) throw tooLarge(limit);
    onProgress(part);
    for await (const piece of pieces(answer.body)) {
      heard();
      part.pieces.push(piece);
      part.got += piece.length;
      if (part.got > limit) throw tooLarge(limit);
      onProgress(part);
    }
    if (part.whole !== null && part.got !== part.whole) throw new NoAnswer("unreachable", "the answer ended early");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    // Where nobody reads on, the connection is of no more use.
    end();
  }
}

/** Takes the head of an answer: the rest of what there is, or the whole once more. */
function begin(part, { status, headers }) {
  const [, from, whole] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (status === 206 && Number(from) === part.got) {
    part.whole = Number(whole);
    return;
  }
  Object.assign(part, nothing(part.path));
  if (status === 206) throw new NoAnswer("unreachable", "the answer is another part than was asked for");
  // A weak tag names no bytes, and the length of a compressed answer is not that of the bytes.
  const tag = headers.get("etag");
  part.tag = tag?.startsWith("W/") ? null : tag;
  const length = headers.get("content-length");
  part.whole = length === null || headers.has("content-encoding") ? null : Number(length);
}

async function* pieces(body) {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((error) => { throw new NoAnswer("unreachable", String(error)); });
    if (done) return;
    yield value;
  }
}

const tooLarge = (limit) => new NoAnswer("too-large", `more than ${limit} bytes`);

function joined({ got, pieces: list }) {
  const bytes = new Uint8Array(got);
  let at = 0;
  for (const piece of list) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Waits; shorter where the device finds its network again, or somebody stops. */
function pause(millis, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return void resolve();
    setTimeout(resolve, millis);
    addEventListener("online", resolve, { once: true });
    signal.addEventListener("abort", resolve, { once: true });
  });
}
