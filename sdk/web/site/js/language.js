// The language of the page: Chinese or English, by choice or else by the browser.

import { WORDS } from "./words.js";

const KEPT = "fengni language";

const chosen = localStorage.getItem(KEPT);
let place = (chosen ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en")) === "zh" ? 0 : 1;

/** `zh` or `en`. */
export const language = () => (place === 0 ? "zh" : "en");

/** Of a pair of words, the one of the language; gaps like `{n}` are filled. */
export function pick(pair, gaps = {}) {
  return (pair?.[place] ?? "").replace(/\{(\w+)\}/g, (_, name) => gaps[name] ?? "");
}

/** Words of the page by name. */
export const say = (name, gaps) => pick(WORDS[name], gaps);

/** Of a sentence in both languages, as verdicts hold it, set as its language sets it. */
export function sentence({ zh, en }) {
  if (language() === "en") return en.charAt(0).toUpperCase() + en.slice(1);
  return zh.replace(/,\s*/g, "，").replace(/:(?=[\u4e00-\u9fff])/g, "：");
}

/** Puts the words into every element that names some. */
export function translate(root = document) {
  document.documentElement.lang = place === 0 ? "zh-CN" : "en";
  for (const element of root.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
  }
  const title = document.querySelector("title[data-title]");
  if (title) title.textContent = `${say(title.dataset.title)} · ${say("name")}`;
}

export function switchLanguage() {
  place = 1 - place;
  localStorage.setItem(KEPT, language());
  translate();
  document.dispatchEvent(new Event("language"));
}

/** A moment as people write it, in the device's time zone. */
export function moment(millis, long = false) {
  const style = long ? { dateStyle: "medium", timeStyle: "medium" } : { timeStyle: "medium" };
  return new Intl.DateTimeFormat(place === 0 ? "zh-CN" : "en-GB", style).format(millis);
}

/** A span of time in one unit. */
export function span(seconds) {
  if (seconds < 120) return say("unit_s", { n: seconds });
  if (seconds < 7200) return say("unit_min", { n: Math.floor(seconds / 60) });
  if (seconds < 172_800) return say("unit_h", { n: Math.floor(seconds / 3600) });
  return say("unit_d", { n: Math.floor(seconds / 86_400) });
}

/** A number of bytes, as people write it. */
export function size(bytes) {
  if (bytes < 1_000_000) return `${Math.ceil(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
