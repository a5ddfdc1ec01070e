// The mark of a fact: what proves it, or that nothing does.

import { make } from "./dom.js";
import { say } from "./language.js";

export function mark(header) {
  if (!header) return make("span", { class: "mark", "data-proven": "no" }, say("not_proven"));
  const { height, signed_power: signed, power, quorum } = header;
  return make("span", { class: "mark", "data-proven": "yes", title: say("proven_by", { height, signed, power, quorum }) }, say("proven"));
}
