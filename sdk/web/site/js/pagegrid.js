// A page of the register as 1,024 small squares, 32 a row: where each line stands.

import { draw, make } from "./dom.js";
import { say } from "./language.js";

const ROW = 32;
const PAGE_LINES = 1024;

/** What a line's square looks like. Shape differs as well as colour. */
function look({ state, holds, disputed, key_blocked }) {
  if (state !== "active") return "ended";
  if (holds.length > 0) return "held";
  return disputed || key_blocked ? "flag" : "active";
}

const square = (at, inset) => {
  const [x, y, side] = [(at % ROW) + inset, Math.floor(at / ROW) + inset, 1 - 2 * inset];
  return `M${x} ${y}h${side}v${side}h-${side}z`;
};

const SHAPES = {
  active: (at) => square(at, 0.12),
  held: (at) => square(at, 0.02),
  ended: (at) => `M${(at % ROW) + 0.05} ${Math.floor(at / ROW) + 0.05}l.9 .9m0-.9l-.9 .9`,
  flag: (at) => `M${(at % ROW) + 0.5} ${Math.floor(at / ROW)}l.5 .5-.5 .5-.5-.5z`,
};

export function grid(page) {
  const exceptions = new Map(page.exceptions.map((found) => [found.place, look(found)]));
  const paths = { active: "", held: "", ended: "", flag: "" };
  for (let at = 0; at < page.lines; at += 1) {
    const found = exceptions.get(at) ?? "active";
    paths[found] += SHAPES[found](at);
  }
  const rows = PAGE_LINES / ROW;
  return draw("svg", { viewBox: `0 0 ${ROW} ${rows}`, class: "grid", "aria-hidden": "true" },
    ...Object.entries(paths).filter(([, path]) => path).map(([name, path]) => draw("path", { class: name, d: path })));
}

export function legend() {
  const entry = (name) => make("span", {}, draw("svg", { viewBox: "0 0 1 1", class: "grid", "aria-hidden": "true" }, draw("path", { class: name, d: SHAPES[name](0) })), say(`legend_${name}`));
  return make("p", { class: "legend" }, ["active", "held", "ended", "flag"].map(entry));
}
