// A text as a QR symbol on the page: one path of squares, crisp at every size, dark on white.

import { draw } from "./dom.js";

/** Light modules around the symbol. */
const BORDER = 4;

/** Puts the modules that `qr` gives into an element. */
export function showSymbol(element, { size, modules }) {
  const side = size + 2 * BORDER;
  let path = "";
  modules.forEach((dark, at) => {
    if (dark) path += `M${(at % size) + BORDER},${Math.floor(at / size) + BORDER}h1v1h-1z`;
  });
  element.replaceChildren(draw("svg", { viewBox: `0 0 ${side} ${side}`, "shape-rendering": "crispEdges" },
    draw("path", { fill: "#fff", d: `M0,0h${side}v${side}h-${side}z` }), draw("path", { fill: "#000", d: path })));
}
