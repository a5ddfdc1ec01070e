// The verifier page.

import { Asking } from "./asking.js";
import { byId } from "./dom.js";
import { careMode, frame, showNetwork } from "./frame.js";
import * as gateway from "./gateway.js";
import { judge, tidy } from "./identifier.js";
import { say } from "./language.js";
import { PackLine } from "./packline.js";
import { Camera, readPicture } from "./scan.js";
import { Settings } from "./settings.js";
import { canSpeak, hush, speak } from "./speech.js";
import { Trust } from "./trust.js";
import { show, spoken } from "./verdict.js";

const LINK_MILLIS = 5000;

let trust;
let settings;
let packLine;
let asking;
let latest;
const camera = new Camera(byId("video"));

frame();
start().catch((error) => problem("camera-problem", String(error.message ?? error)));

async function start() {
  trust = await Trust.open();
  showNetwork(trust.network);
  [settings, packLine, asking] = [new Settings(trust), new PackLine(trust), new Asking(trust, scanAnswer)];
  await Promise.all([settings.load(), packLine.load()]);
  showSettings();
  follow();
  document.documentElement.dataset.ready = "yes";
}

function problem(id, text) {
  byId(id).textContent = text ?? "";
  byId(id).hidden = !text;
}

// ---- settings -------------------------------------------------------------------------------

function showSettings() {
  byId("as").textContent = settings?.chosen?.member.name ?? say("not_chosen");
  byId("for").textContent = settings?.chosen?.purpose.name ?? say("not_chosen");
}

async function configured() {
  if (settings.chosen) return true;
  const done = await settings.choose();
  showSettings();
  return done;
}

byId("change").addEventListener("click", async () => {
  await settings.choose();
  showSettings();
});

byId("ask-first").addEventListener("click", async () => {
  if (!(await configured())) return;
  clear();
  asking.begin(settings.question);
});

// ---- verifying ------------------------------------------------------------------------------

/** Asks the gateway for a proof; without one, judges by the pack or by the code alone. */
async function verify(text, question) {
  const place = trust.client.place(text);
  if (place.kind === "malformed") return { verdict: place.verdict, trouble: null };
  let bytes = null;
  let unproven;
  try {
    // A code on paper is looked up by its identifier, as a typed one is.
    bytes = await (place.kind === "code"
      ? gateway.lineProof(place, question.verifier)
      : gateway.identifierProof(place.identifier, question.verifier));
  } catch (error) {
    unproven = error.kind ?? "refused";
  }
  if (["unreachable", "busy"].includes(unproven) && place.kind === "code") {
    const found = await packLine.pack.verify(text, question);
    if (found) return { ...found, offline: true };
  }
  const reason = unproven === "not-found" && place.kind === "code" ? "refused" : unproven;
  const judge = () => trust.client.verify(text, bytes, { ...question, unproven: REASONS[reason] ?? reason }, Date.now());
  let checked = judge();
  // What does not hold may be of validators that this device does not know yet.
  if (checked.trouble && (await trust.catchUp())) checked = judge();
  await trust.save();
  return checked;
}

const REASONS = { unreachable: "no gateway can be reached", busy: "the gateway is busy", refused: "the gateway gives no proof" };

let checks = 0;

/** Nothing of the holder before stays on the screen while the next one is asked or judged. */
function clear() {
  checks += 1;
  hush();
  latest = undefined;
  render();
  byId("said").textContent = "";
}

async function check(text) {
  if (!(await configured())) return;
  clear();
  const mine = checks;
  const question = { ...settings.question };
  try {
    question.challenge = asking.expected(question);
  } catch (error) {
    return asking.refuse(error);
  }
  byId("said").textContent = say("checking");
  const found = await verify(text, question);
  // Another one was begun meanwhile: an answer that comes late is nobody's.
  if (mine !== checks) return;
  latest = found;
  if (question.challenge && latest.verdict.answer === "valid") asking.end();
  render();
  byId("said").textContent = spoken(latest.verdict);
  byId("answer").focus();
  if (careMode()) speak(spoken(latest.verdict));
}

function render() {
  const answer = byId("answer");
  byId("main").dataset.answered = latest ? "yes" : "no";
  answer.hidden = !latest;
  if (!latest) return answer.replaceChildren();
  const onSpeak = canSpeak ? () => speak(spoken(latest.verdict)) : null;
  answer.replaceChildren(...show(latest, { offlineOf: latest.offline, onAgain: again, onSpeak }));
}

function again() {
  clear();
  const active = document.querySelector('[role="tab"][aria-selected="true"]');
  if (active.id === "tab-camera") return scan();
  document.querySelector(`#${active.getAttribute("aria-controls")} :is(textarea, input)`)?.focus();
}

// ---- the four ways to ask -------------------------------------------------------------------

async function scan() {
  if (camera.running) return camera.stop();
  if (!(await configured())) return;
  clear();
  problem("camera-problem");
  byId("camera").dataset.on = "yes";
  byId("camera-start").textContent = say("camera_stop");
  byId("camera-hint").textContent = say("camera_searching");
  try {
    const text = await camera.find();
    if (text) await check(text);
  } catch {
    problem("camera-problem", say("camera_none"));
  } finally {
    byId("camera").dataset.on = "no";
    byId("camera-start").textContent = say("camera_start");
    byId("camera-hint").textContent = say("camera_hint");
  }
}

byId("camera-start").addEventListener("click", scan);

function scanAnswer() {
  clear();
  if (camera.running) return;
  choose(byId("tab-camera"));
  scan();
}

byId("picture").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  problem("picture-problem");
  const text = await readPicture(file).catch(() => null);
  target.value = "";
  if (text) await check(text);
  else problem("picture-problem", say("picture_none"));
});

byId("text-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("text").value.trim();
  if (text) check(text);
});

function feedback() {
  const { state, note, parts } = judge(tidy(byId("typed").value));
  byId("typed-note").textContent = note;
  byId("typed-parts").replaceChildren(...parts);
  byId("typed").setAttribute("aria-invalid", String(state === "wrong"));
  byId("typed-check").setAttribute("aria-disabled", String(state !== "good"));
  return state;
}

byId("typed").addEventListener("input", feedback);
byId("typed-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (feedback() === "good") check(tidy(byId("typed").value));
  else byId("typed").focus();
});
byId("typed").addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault();
    byId("typed-form").requestSubmit();
  }
});

// ---- tabs, by the arrow keys as well --------------------------------------------------------

const tabs = [...document.querySelectorAll('[role="tab"]')];

function choose(tab) {
  camera.stop();
  for (const one of tabs) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", String(chosen));
    one.tabIndex = chosen ? 0 : -1;
    byId(one.getAttribute("aria-controls")).hidden = !chosen;
  }
}

for (const [at, tab] of tabs.entries()) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", ({ key }) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[key];
    if (to === undefined) return;
    const next = tabs.at(to % tabs.length);
    choose(next);
    next.focus();
  });
}

// ---- how the device stands to the network ----------------------------------------------------

let link = { state: "unknown" };

function showLink() {
  byId("link").dataset.state = link.state;
  const name = { online: "online", offline: "offline" }[link.state];
  byId("link-text").textContent = [name ? say(name) : "…", link.height ? `${say("height")} ${link.height}` : ""].filter(Boolean).join(" · ");
}

/** Follows the newest header while the page is looked at, so that a verdict has it at hand. */
async function follow() {
  if (document.visibilityState === "visible") {
    try {
      const header = await trust.newest();
      link = { state: "online", height: header.height };
      await trust.save();
    } catch (error) {
      link = { ...link, state: error.kind === "unreachable" ? "offline" : "unknown" };
      if (trust.client.trust(Date.now()).contradictions > 0) problem("camera-problem", say("contradiction"));
    }
    showLink();
  }
  setTimeout(follow, LINK_MILLIS);
}

document.addEventListener("language", () => {
  showSettings();
  showLink();
  feedback();
  if (latest) render();
});
