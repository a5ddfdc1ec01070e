// The holder's demo page: a wallet in memory, and a code that renews itself. Never a verdict here:
// what counts is what the verifier's screen says.

import { loadWallet, qr } from "../fengni/wallet.js";
import { Answering } from "./answering.js";
import { byId, make } from "./dom.js";
import { walletOf } from "./files.js";
import { frame, showNetwork } from "./frame.js";
import { moment, say } from "./language.js";
import { showSymbol } from "./symbol.js";
import { Trust } from "./trust.js";

/** A new code is made while the old one still has so long to live. */
const EARLY_SECS = 5;

let trust;
let wallet;
let answering;
let purposes = [];
let showing;

frame();
start().catch((error) => problem(error.message ?? String(error)));

async function start() {
  [trust] = await Promise.all([Trust.open(), loadWallet()]);
  showNetwork(trust.network);
  answering = new Answering(trust, purposeName);
  document.documentElement.dataset.ready = "yes";
}

function problem(text) {
  byId("problem").textContent = text ?? "";
  byId("problem").hidden = !text;
}

// ---- the wallet ------------------------------------------------------------------------------

byId("files").addEventListener("change", async ({ target }) => {
  problem();
  wallet?.free();
  wallet = undefined;
  try {
    wallet = await walletOf(target.files, trust);
    await learn();
    if (wallet.list().length === 0) throw new Error(say("wallet_choose"));
    list();
  } catch (error) {
    byId("show-form").hidden = true;
    problem(say("wallet_bad", { why: error.message ?? String(error) }));
  }
  target.value = "";
});

/** The names of purposes, as a quorum proves them. */
async function learn() {
  const codes = await trust.shelf("codes").catch(() => null);
  purposes = codes?.records.find((set) => set.name === "purposes")?.codes.map(({ code, name }) => ({ code: Number(code), name })) ?? [];
}

const purposeName = (number) => purposes.find(({ code }) => code === number)?.name ?? String(number);
const chosen = () => wallet.list().find(({ identifier }) => identifier === byId("held").querySelector(":checked")?.value);

function list() {
  const held = wallet.list();
  const first = held.find(({ has_key }) => has_key) ?? held[0];
  byId("held").replaceChildren(...held.map((one) => make("label", { class: "card" },
    make("input", { type: "radio", name: "held", value: one.identifier, checked: one === first, disabled: !one.has_key, onchange: fields }),
    make("span", {},
      make("b", {}, one.certificate_type ?? one.type_code),
      make("code", {}, one.identifier.split(".").slice(-3).join(".")),
      make("small", {}, [one.has_key ? null : say("no_key"), say("validity_text", { from: one.from, until: one.until ?? say("forever") })].filter(Boolean).join(" · "))))));
  byId("show-form").hidden = false;
  fields();
}

function fields() {
  const one = chosen();
  if (!one) return;
  byId("fields").replaceChildren(...one.fields.map(({ label, value, everyday, sensitive }) => make("label", { class: "field" },
    make("input", { type: "checkbox", value: label, checked: everyday, "data-everyday": everyday }),
    make("span", {}, make("b", {}, label, sensitive ? make("small", {}, say("sensitive")) : null), make("span", {}, value ?? say("no_value"))))));
  const usable = purposes.filter(({ code }) => one.purposes.length === 0 || one.purposes.includes(code));
  const kept = byId("purpose").value;
  byId("purpose").replaceChildren(...usable.map(({ code, name }) => make("option", { value: code, selected: String(code) === kept }, `${name}(${code})`)));
}

const boxes = () => [...byId("fields").querySelectorAll("input")];
byId("everyday").addEventListener("click", () => boxes().forEach((box) => { box.checked = "everyday" in box.dataset; }));
byId("all").addEventListener("click", () => boxes().forEach((box) => { box.checked = true; }));

// ---- the code --------------------------------------------------------------------------------

byId("show-form").addEventListener("submit", (event) => {
  event.preventDefault();
  problem();
  const one = chosen();
  const picked = boxes().filter((box) => box.checked).map((box) => box.value);
  if (picked.length === 0) return problem(say("pick_one"));
  const { challenge } = answering;
  showing = { one, picked, challenge, purpose: challenge?.purpose ?? Number(byId("purpose").value) };
  if (!renew()) return;
  byId("choose").hidden = true;
  byId("shown").hidden = false;
  byId("shown").focus();
  wake();
  tick();
});

/** Makes a new code; false where none can be made. */
function renew() {
  const { one, picked, purpose, challenge } = showing;
  try {
    showing.made = wallet.show(one.identifier, { fields: picked, purpose, challenge: challenge?.hash }, Date.now());
    showSymbol(byId("qr"), qr(showing.made.text));
  } catch (error) {
    showing = undefined;
    hide();
    problem(/bytes|long/.test(error.message) ? say("too_large") : error.message);
    return false;
  }
  captions();
  return true;
}

function captions() {
  const { one, picked, purpose, challenge, made } = showing;
  byId("shown-type").textContent = one.certificate_type;
  byId("made").textContent = say("made_at", { time: moment(made.issued_secs * 1000) });
  byId("discloses").textContent = say("discloses", { fields: picked.join("、") });
  byId("shown-for").textContent = [
    challenge ? say("answers", { name: challenge.member.name }) : null, say("shown_for", { purpose: purposeName(purpose) }),
  ].filter(Boolean).join(" · ");
  byId("text").value = made.text;
}

function tick() {
  if (!showing) return;
  // A question that is over gets no further answer.
  if (showing.challenge && answering.isOver) return hide();
  const { issued_secs, expires_secs } = showing.made;
  const until = Math.max(issued_secs + 1, expires_secs - EARLY_SECS);
  const left = until - Date.now() / 1000;
  if (left <= 0 && !renew()) return;
  byId("left").textContent = say("holds_for", { n: Math.max(0, Math.ceil(left)) });
  byId("bar").style.setProperty("inline-size", `${Math.max(0, Math.min(1, left / (until - issued_secs))) * 100}%`);
  setTimeout(tick, 500);
}

function hide() {
  // Who was answered asks anew the next time.
  if (showing?.challenge) answering.drop();
  showing = undefined;
  byId("shown").hidden = true;
  byId("choose").hidden = false;
}

byId("hide").addEventListener("click", hide);

/** Keeps the screen on while a code is shown, where the browser can. */
async function wake() {
  await navigator.wakeLock?.request("screen").catch(() => undefined);
}

document.addEventListener("language", () => {
  if (wallet && !byId("show-form").hidden) list();
  if (showing) captions();
});
