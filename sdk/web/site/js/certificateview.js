// A holder's certificates: where each stands, and what was objected to in it.

import { day } from "../fengni/records.js";
import { make } from "./dom.js";
import { pick, say } from "./language.js";
import { mark } from "./mark.js";
import { OBJECTIONS, STATES } from "./minewords.js";
import { placesOfLine } from "./places.js";

const CHINA_MILLIS = 8 * 3_600_000;
const DAY_MILLIS = 86_400_000;

/** Where a certificate stands, proven; `header` is null where nothing is known. */
export async function certificateStanding(trust, wallet, { identifier, place }) {
  try {
    const proven = await trust.evidence(placesOfLine(place));
    return { ...wallet.certificateStanding(identifier, proven, Date.now()), header: proven.header };
  } catch (error) {
    return { state: null, header: null, why: error.message };
  }
}

/** `objections`: all that the register has, with the header that proves them. */
export function certificateCard(held, found, objections, names) {
  const { book, line } = held.place;
  const its = objections.records.filter(({ place }) => place.book === book && place.line === line);
  return make("article", { class: "card", "data-state": found.state ?? "none", "data-disputed": found.disputed ? "yes" : "no" },
    make("h3", {}, held.certificate_type ?? held.type_code, " ", mark(found.header)),
    make("code", {}, held.identifier.split(".").slice(-3).join(".")),
    make("p", { class: "standing" }, make("b", {}, standing(found, held)), found.disputed ? make("span", { class: "flag" }, say("disputed_flag")) : null),
    make("p", {}, say("validity_text", { from: held.from, until: held.until ?? say("forever") })),
    its.length ? make("ul", { class: "plain" }, its.map((it) => make("li", {}, objection(it, objections.header, names), " ", mark(objections.header)))) : null,
    make("p", { class: "hint" }, say("objection_how", { place: `${book}/${line}` })));
}

function standing({ state, held, suspended, key_blocked: keyBlocked, why, header }, { from, until }) {
  if (!state) return why;
  const today = dayOf(header);
  const period = [today < from ? say("state_early") : null, until !== null && until < today ? say("state_over") : null].find(Boolean);
  const word = state === "active" && period ? period : pick(STATES[state]);
  return [held || suspended ? say("state_held") : word, keyBlocked ? say("state_key_blocked") : null].filter(Boolean).join(" · ");
}

/** The day of a header in China, as `YYYY-MM-DD`. */
const dayOf = ({ time }) => day(Math.floor((time + CHINA_MILLIS) / DAY_MILLIS));

function objection({ number, filer, filed_on: filed, answer: { due, done }, status }, header, names) {
  const late = status === "open" && due !== null && due < dayOf(header);
  const facts = { number, who: names.member(filer), filed, status: pick(OBJECTIONS[status]), due: due ?? say("no_due"), done };
  return make("span", { class: late ? "flag" : "" }, say(done ? "objection_done" : "objection_open", facts), late ? ` · ${say("objection_late")}` : "");
}
