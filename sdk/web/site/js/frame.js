// What every page has: language, care mode, the network's id, the service worker.

import { byId } from "./dom.js";
import { switchLanguage, translate } from "./language.js";

const CARE = "fengni care";

export const careMode = () => document.documentElement.dataset.care === "on";

function setCare(on) {
  document.documentElement.dataset.care = on ? "on" : "off";
  localStorage.setItem(CARE, on ? "on" : "off");
  byId("care").setAttribute("aria-pressed", String(on));
  document.dispatchEvent(new Event("care"));
}

/** Sets up what every page has. */
export function frame() {
  translate();
  byId("language").addEventListener("click", switchLanguage);
  setCare(localStorage.getItem(CARE) === "on");
  byId("care").addEventListener("click", () => setCare(!careMode()));
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("sw.js").catch((error) => console.warn("no offline use:", error));
  }
}

/** The first digits of a network's id, in groups, so that two people can compare them. */
export const shortId = (network) => `${network.slice(0, 4)} ${network.slice(4, 8)} ${network.slice(8, 12)} ${network.slice(12, 16)}`;

export function showNetwork(network) {
  const place = byId("network");
  place.textContent = shortId(network);
  place.title = network;
}
