// What both sides do with a challenge: read it wherever it came from, know who asks, say what is wrong.

import { checkChallenge, ChallengeError, readChallenge } from "../fengni/challenge.js";
import { pick } from "./language.js";
import { readPicture } from "./scan.js";
import { CHALLENGE_PROBLEMS } from "./words.js";

const FILE_BYTES_MAX = 32 * 1024 * 1024;
const TEXT_BYTES_MAX = 4096;

/** The text in a file: of a picture’s code, or the file itself. */
export async function textOf(file) {
  if (file.size > FILE_BYTES_MAX) return "";
  if (file.type.startsWith("image/")) return (await readPicture(file).catch(() => null)) ?? "";
  return file.size > TEXT_BYTES_MAX ? "" : file.text();
}

/** A challenge by its text, with the proven record of the member it names. */
export async function opened(text, trust) {
  const challenge = await readChallenge(text, trust.network);
  const place = `members/${challenge.verifier}`;
  const { entries, header } = await trust.prove([place]);
  checkChallenge(challenge, entries[place], header.height, Date.now());
  return { ...challenge, member: entries[place] };
}

/** Seconds for which it may be answered. */
export const secondsLeft = ({ expires_secs }) => Math.max(0, Math.ceil(expires_secs - Date.now() / 1000));

/** What is wrong, for people: a refusal by its code, anything else is want of a proof. */
export function whatIsWrong(error) {
  return pick(CHALLENGE_PROBLEMS[error instanceof ChallengeError ? error.code : "unproven"]);
}
