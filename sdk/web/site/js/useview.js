// A use of somebody's data as its holder reads it.

import { make } from "./dom.js";
import { moment, pick, say } from "./language.js";
import { mark } from "./mark.js";
import { MODES, REFUSALS } from "./minewords.js";

const WARNINGS = new Set(["late", "withheld", "counted"]);

const fact = (title, ...value) => make("div", {}, make("dt", {}, say(title)), make("dd", {}, ...value));

/** A receipt that holds; one that shows nothing is said to be so, and nothing of it is repeated. */
export function useCard(row, names) {
  const { receipt } = row.held.receipt;
  if (!row.standing) {
    return make("li", { class: "use unproven", "data-standing": "none" },
      make("p", {}, mark(null), " ", say("use_unfit", { provider: names.member(row.provider.member) })),
      make("p", { class: "hint" }, row.why));
  }
  const warns = WARNINGS.has(row.standing);
  return make("li", { class: "use", "data-standing": row.standing, "data-sides": row.sides },
    make("p", { class: "when" }, when(receipt.time), " ", row.standing === "anchored" ? mark(row.header) : null),
    make("h3", {}, say("use_who", { who: names.member(receipt.requester), purpose: names.purpose(receipt.purpose) })),
    make("dl", { class: "facts" },
      fact("use_what", `${names.member(receipt.provider)} · ${names.resource(receipt.resource)} · ${names.fields(receipt.resource, receipt.fields)}`),
      fact("use_item", `${names.item(receipt.item)} · ${receipt.case}`),
      fact("use_mode", pick(MODES[receipt.mode])),
      fact("use_result", make("b", {}, result(receipt.result))),
      fact("use_sides", sides(row.sides)),
      fact("use_proof", make("span", { class: warns ? "flag" : "" }, proof(row)))));
}

/** JavaScript knows no time so far away as a receipt may say. */
function when(millis) {
  const date = new Date(millis);
  if (Number.isNaN(date.getTime())) return make("span", {}, String(millis));
  return make("time", { datetime: date.toISOString() }, moment(millis, true));
}

function result(found) {
  if (typeof found === "string") return say(`result_${found}`);
  return say("result_refused", { why: pick(REFUSALS[found.refused]) || found.refused });
}

function sides(word) {
  return word === "both" ? say("sides_both") : make("span", { class: "flag" }, say("sides_one"));
}

function proof({ standing, why, held: { place }, header }) {
  if (why) return say("proof_unshown", { why });
  return say(`proof_${standing}`, { book: place?.book, line: place?.line, height: header.height });
}
