// A verdict on the page: the word first, then why, how fresh, what was shown, what was checked.

import { draw, make } from "./dom.js";
import { language, moment, pick, say, sentence, span } from "./language.js";
import { CHECKS, NEXT, TITLES } from "./words.js";

/** The answer in one word. */
export function word({ answer, code }) {
  if (code === "VALID_OFFLINE") return say("valid_offline");
  if (code === "DOCUMENT_STATUS_ONLY") return say("document_only");
  return say(answer);
}

/** What is read aloud: the word, the title, the sentence. */
export function spoken(verdict) {
  return [word(verdict), pick(TITLES[verdict.code]), plain(verdict)].filter(Boolean).join("。");
}

/** The verdict for a clerk, in forty characters: there are such in Chinese. */
const plain = (verdict) => (language() === "zh" && verdict.plain_text ? sentence({ zh: verdict.plain_text }) : sentence(verdict.reason));

/** All of it, as elements. */
export function show(checked, { offlineOf, onAgain, onSpeak }) {
  const { verdict, trouble } = checked;
  return [
    headline(verdict),
    why(verdict, trouble, offlineOf),
    make("div", { class: "row" },
      make("button", { type: "button", class: "primary", id: "again", onclick: onAgain }, say("again")),
      onSpeak ? make("button", { type: "button", class: "quiet", onclick: onSpeak }, say("read_aloud")) : null),
    claims(verdict),
    certificate(verdict),
    ages(verdict),
    checks(verdict),
  ].filter(Boolean);
}

function headline(verdict) {
  return make("div", { class: "word", "data-answer": verdict.answer, "data-display": verdict.display, "data-code": verdict.code },
    sign(verdict.answer),
    make("h2", { id: "verdict-word" }, word(verdict)),
    make("p", {}, pick(TITLES[verdict.code]) || verdict.code));
}

/** A circle with a tick, an octagon with a cross, a diamond with a question mark. */
function sign(answer) {
  const line = { fill: "none", stroke: "currentColor", "stroke-width": 6, "stroke-linecap": "round", "stroke-linejoin": "round" };
  const shapes = {
    valid: () => [draw("circle", { ...line, cx: 40, cy: 40, r: 34 }), draw("path", { ...line, "stroke-width": 8, d: "M24 41l12 12 21-25" })],
    refused: () => [
      draw("path", { ...line, d: "M26 6h28l20 20v28L54 74H26L6 54V26Z" }),
      draw("path", { ...line, "stroke-width": 8, d: "M28 28l24 24M52 28L28 52" }),
    ],
    undecided: () => [
      draw("path", { ...line, d: "M40 5l35 35-35 35L5 40Z" }),
      draw("path", { ...line, d: "M31 32c0-12 18-12 18 0 0 8-9 7-9 16M40 58v.5" }),
    ],
  };
  return draw("svg", { viewBox: "0 0 80 80", "aria-hidden": "true" }, ...shapes[answer]());
}

function why(verdict, trouble, offlineOf) {
  const asOf = verdict.as_of && say("as_of", { height: verdict.as_of.height, time: moment(verdict.as_of.time, true) });
  return make("div", { class: "why" },
    make("p", { class: "reason" }, plain(verdict)),
    plain(verdict) === sentence(verdict.reason) ? null : make("p", {}, sentence(verdict.reason)),
    verdict.warnings.includes("DISPUTED") ? make("p", { class: "warning" }, say("disputed")) : null,
    make("p", { class: "next" }, pick(NEXT[verdict.code] ?? NEXT[verdict.answer])),
    asOf ? make("p", { class: "hint" }, offlineOf ? `${say("offline")} · ${asOf}` : asOf) : null,
    trouble ? make("p", { class: "hint" }, say(`trouble_${trouble.kind}`), trouble.message) : null);
}

function part(title, ...content) {
  return make("div", { class: "part" }, make("h3", {}, say(title)), ...content);
}

const fact = (name, value) => (value ? [make("dt", {}, name), make("dd", {}, value)] : []);

function claims({ document: found }) {
  if (!found?.claims.length) return null;
  const rows = found.claims.flatMap(({ label, value }) => [make("dt", {}, label), make("dd", {}, value ?? say("no_value"))]);
  return part("claims", make("dl", { class: "facts claims" }, rows));
}

function certificate({ document: found, assurance }) {
  if (!found) return null;
  const identity = assurance && say("assurance_text", { level: say(assurance.level), service: assurance.service, time: moment(assurance.time_secs * 1000, true) });
  const validity = found.validity && say("validity_text", { from: found.validity[0], until: found.validity[1] ?? say("forever") });
  return part("document", make("dl", { class: "facts" },
    fact(say("doc_type"), found.certificate_type),
    fact(say("doc_issuer"), found.issuer),
    fact(say("doc_identifier"), make("code", {}, found.identifier)),
    fact(say("doc_validity"), validity),
    fact(say("doc_grade"), found.grade),
    fact(say("doc_assurance"), identity),
    fact(say("doc_place"), say("place_text", found.place))));
}

function ages({ ages: { holder_proof_secs, standing_secs, checkpoint_secs } }) {
  const age = (name, seconds) => (seconds === null ? null : make("div", {},
    make("dt", {}, say(name)),
    make("dd", {}, seconds < 2 ? say("just_now") : say("ago", { age: span(seconds) }))));
  const all = [age("age_holder", holder_proof_secs), age("age_standing", standing_secs), age("age_checkpoint", checkpoint_secs)];
  return all.some(Boolean) ? part("ages", make("dl", { class: "ages" }, all)) : null;
}

function checks({ checked }) {
  const list = checked.map((check) => make("li", {}, pick(CHECKS[check]) || check));
  return part("checked", list.length ? make("ul", { class: "checks" }, list) : make("p", { class: "hint" }, say("checked_none")));
}
