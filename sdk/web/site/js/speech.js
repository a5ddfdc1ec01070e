// Reading aloud, by the browser's own voices.

import { language } from "./language.js";

export const canSpeak = "speechSynthesis" in globalThis;

export function speak(text) {
  if (!canSpeak) return;
  speechSynthesis.cancel();
  const said = new SpeechSynthesisUtterance(text);
  said.lang = language() === "zh" ? "zh-CN" : "en-GB";
  said.rate = 0.95;
  speechSynthesis.speak(said);
}

export function hush() {
  if (canSpeak) speechSynthesis.cancel();
}
