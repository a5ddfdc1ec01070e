// Feedback while an identifier is typed: each part as it grows, and the character that is wrong.

import { checkIdentifier } from "../fengni/index.js";
import { make } from "./dom.js";
import { say } from "./language.js";

const OID = "1.2.156.3005.2";
const PARTS = [["type", 21], ["issuer", 18], ["serial", 0], ["version", 3], ["check", 1]];

/**
 * What was meant: without blanks, in half width and capitals. The ledger knows one spelling, and a
 * keyboard for Chinese easily gives another.
 */
export function tidy(text) {
  return text.normalize("NFKC").replaceAll("。", ".").replace(/\s+/g, "").toUpperCase();
}

/** What to say about a text, and its parts. `state` is `empty`, `more`, `good` or `wrong`. */
export function judge(text) {
  if (text === "") return { state: "empty", note: "", parts: [] };
  const finding = checkIdentifier(text);
  if (finding.valid && finding.kind === "certificate identifier") {
    return { state: "good", note: say("typed_good"), parts: cut(text, () => "good") };
  }
  if (finding.valid) return { state: "wrong", note: say("typed_other", { kind: kind(finding.kind) }), parts: [] };
  const { problem } = finding;
  if (problem.name === "CHARACTER") {
    const note = say("typed_wrong_at", { at: problem.at + 1, found: problem.found });
    return { state: "wrong", note, parts: cut(text, () => "open", problem.at) };
  }
  const early = wrongPart(text);
  if (early) return { state: "wrong", note: say("typed_wrong_part", { part: say(`part_${early}`) }), parts: cut(text, (name) => (name === early ? "wrong" : state(text, name))) };
  if (unfinished(text)) return { state: "more", note: say("typed_more"), parts: cut(text, (name) => state(text, name)) };
  if (problem.name === "CHECK_CHARACTER") {
    return { state: "wrong", note: say("typed_wrong_check"), parts: cut(text, () => "open", problem.at) };
  }
  return { state: "wrong", note: say("typed_wrong", { why: problem.message }), parts: cut(text, () => "open") };
}

const kind = (name) => say(`kind_${name.split(" ")[0]}`);
const pieces = (text) => (text.startsWith(`${OID}.`) ? text.slice(OID.length + 1).split(".") : []);

/** The first part that is whole and whose own check character is wrong. */
function wrongPart(text) {
  return ["type", "issuer"].find((name) => state(text, name) === "wrong");
}

function state(text, name) {
  if (name === "oid") return text.startsWith(`${OID}.`) ? "good" : "open";
  const at = PARTS.findIndex(([part]) => part === name);
  const piece = pieces(text)[at] ?? "";
  if (name === "type" || name === "issuer") {
    // Behind the dot that ends a part, nothing can still be added to it.
    const ended = pieces(text).length > at + 1;
    if (piece.length !== PARTS[at][1]) return ended ? "wrong" : "open";
    return checkIdentifier(piece).valid ? "good" : "wrong";
  }
  return "open";
}

/** Whether more characters could still make an identifier of it. */
function unfinished(text) {
  if (OID.startsWith(text) || text === `${OID}.`) return true;
  if (!text.startsWith(`${OID}.`)) return false;
  const found = pieces(text);
  if (found.length > PARTS.length) return false;
  const last = found.length - 1;
  return found.every((piece, at) => {
    const [, length] = PARTS[at];
    const most = length || 32;
    return at < last ? piece.length > 0 && (length === 0 ? piece.length <= most : piece.length === most) : piece.length <= most;
  }) && !(found.length === PARTS.length && found[last].length === 1);
}

/** The parts as they stand, with the character at `wrong` marked. */
function cut(text, stateOf, wrong = -1) {
  if (!text.startsWith(`${OID}.`)) return [part("oid", text, 0, stateOf("oid"), wrong)];
  let at = OID.length + 1;
  const list = [part("oid", OID, 0, stateOf("oid"), wrong)];
  pieces(text).slice(0, PARTS.length).forEach((piece, place) => {
    const [name] = PARTS[place];
    list.push(part(name, piece, at, stateOf(name), wrong));
    at += piece.length + 1;
  });
  return list;
}

function part(name, piece, start, stateName, wrong) {
  const inside = wrong >= start && wrong < start + piece.length;
  const at = wrong - start;
  const written = inside ? [piece.slice(0, at), make("mark", {}, piece[at]), piece.slice(at + 1)] : [piece || "·"];
  return make("li", { "data-state": inside ? "wrong" : stateName }, make("b", {}, say(`part_${name}`)), make("code", {}, ...written));
}
