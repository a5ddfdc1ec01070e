// The holder's own page: certificates, grants, and who used what of theirs. What is shown was proven here, by
// the light client of this device; providers are only asked.

import { loadRegister, Register } from "../fengni/register.js";
import { loadWallet } from "../fengni/wallet.js";
import { certificateCard, certificateStanding } from "./certificateview.js";
import { byId, make } from "./dom.js";
import { walletOf } from "./files.js";
import { frame, showNetwork } from "./frame.js";
import { confirmed, grantCard, grantStanding, withdrawn } from "./grantview.js";
import { say } from "./language.js";
import { Names } from "./names.js";
import { linesOfAddress, NoProvider, providersOf } from "./provider.js";
import { Trust } from "./trust.js";
import { usesOf } from "./uses.js";
import { useCard } from "./useview.js";

let trust;
let names;
let wallet;
/** What was found: null until the holder asked. */
let found = null;
let providers = [];
/** Whether something goes on that files, questions and withdrawals wait for. */
let busy = false;

frame();
start().catch((error) => problem(error.message ?? String(error)));

async function start() {
  [trust] = await Promise.all([Trust.open((checkpoint) => loadRegister().then(() => new Register(checkpoint))), loadWallet()]);
  showNetwork(trust.network);
  names = await Names.of(trust);
  const { own, others } = linesOfAddress(document.URL);
  byId("providers").value = own.join("\n");
  offer(others);
  document.documentElement.dataset.ready = "yes";
}

function problem(text, id = "problem") {
  byId(id).textContent = text ?? "";
  byId(id).hidden = !text;
}

/** Holds all controls while something goes on, and gives the focus back that this took. */
async function working(what) {
  if (busy) return;
  const focused = document.activeElement;
  const controls = [byId("files"), byId("ask"), byId("offered-yes"), ...byId("grants").querySelectorAll("button")];
  const hold = (on) => {
    busy = on;
    controls.forEach((control) => { control.disabled = on; });
    byId("main").setAttribute("aria-busy", String(on));
  };
  hold(true);
  try {
    await what();
  } finally {
    hold(false);
    if (document.activeElement === document.body && focused?.isConnected) focused.focus();
  }
}

/** What a link brings is asked only once the holder says so: it would get what says who they are. */
function offer(others) {
  byId("offered").hidden = others.length === 0;
  byId("offered").querySelector("ul").replaceChildren(...others.map(({ line, host }) => make("li", {}, make("b", {}, host), " ", make("code", {}, line))));
  byId("offered-yes").onclick = () => {
    byId("providers").value = [byId("providers").value, ...others.map(({ line }) => line)].filter(Boolean).join("\n");
    byId("offered").hidden = true;
    byId("providers").focus();
  };
}

// ---- what is asked ---------------------------------------------------------------------------

byId("files").addEventListener("change", ({ target }) => {
  const files = [...target.files];
  target.value = "";
  return working(() => take(files));
});

async function take(files) {
  problem();
  byId("status").textContent = "";
  wallet?.free();
  [wallet, found] = [null, null];
  byId("ask-form").hidden = true;
  show();
  try {
    wallet = await walletOf(files, trust);
    if (!wallet.list().some(({ has_key: hasKey }) => hasKey)) throw new Error(say("mine_choose"));
    choose();
    byId("ask-form").hidden = false;
  } catch (error) {
    problem(say("wallet_bad", { why: error.message ?? String(error) }));
  }
}

function choose() {
  const held = wallet.list();
  const chosen = byId("held").querySelector(":checked")?.value;
  const first = held.find(({ has_key: hasKey, identifier }) => hasKey && identifier === chosen)
    ?? held.find(({ has_key: hasKey, type_code: type }) => hasKey && names.naming(type)) ?? held.find(({ has_key: hasKey }) => hasKey);
  byId("held").replaceChildren(...held.map((one) => make("label", { class: "card" },
    make("input", { type: "radio", name: "held", value: one.identifier, checked: one === first, disabled: !one.has_key }),
    make("span", {},
      make("b", {}, one.certificate_type ?? one.type_code),
      make("code", {}, one.identifier.split(".").slice(-3).join(".")),
      one.has_key ? null : make("small", {}, say("no_key"))))));
}

/** The field that says who the holder is; without one it is asked by the key alone. */
function namingFields({ type_code: type, fields }) {
  const naming = names.naming(type);
  return fields.some(({ label }) => label === naming) ? [naming] : undefined;
}

byId("ask-form").addEventListener("submit", (event) => {
  event.preventDefault();
  return working(ask);
});

async function ask() {
  problem();
  try {
    providers = providersOf(byId("providers").value, names);
  } catch (error) {
    if (!(error instanceof NoProvider)) throw error;
    return problem(say(error.word, { line: error.message }));
  }
  byId("status").textContent = say("asking");
  try {
    found = await find();
    show();
    byId("status").textContent = say("asked", { n: found.rows.length });
    byId("uses").focus();
  } catch (error) {
    byId("status").textContent = "";
    problem(error.kind ? say("offline") : error.message);
  }
}

async function find() {
  const chosen = wallet.list().find(({ identifier }) => identifier === byId("held").querySelector(":checked").value);
  names = await Names.of(trust);
  const [asked, standings, objections] = [[], [], await trust.shelf("objections")];
  const fields = namingFields(chosen);
  for (const provider of providers) asked.push(await usesOf(trust, wallet, provider, chosen.identifier, fields));
  for (const held of wallet.list()) standings.push({ held, found: await certificateStanding(trust, wallet, held) });
  const rows = asked.flatMap((one) => one.rows).sort((a, b) => timeOf(b) - timeOf(a));
  // Without any record nothing else says how new the list of objections is.
  objections.header ??= await trust.newest();
  const grants = await Promise.all(wallet.grants().map((grant, number) => grantStanding(trust, wallet, number, grant)));
  await trust.save();
  return { asked, isBare: fields === undefined, rows, grants, certificates: standings, objections };
}

const timeOf = ({ held }) => held.receipt.receipt.time;

// ---- what is shown ---------------------------------------------------------------------------

const body = (id) => byId(id).querySelector(".body");

function show() {
  for (const id of ["uses", "grants", "certificates"]) byId(id).hidden = found === null;
  if (found === null) return;
  showUses();
  showGrants();
  body("certificates").replaceChildren(...found.certificates.map(({ held, found: standing }) => certificateCard(held, standing, found.objections, names)));
}

function showUses() {
  const troubles = found.asked.flatMap(({ provider: { url }, error, refused, isCut }) => [
    error ? say("provider_silent", { url, why: error.message }) : null,
    refused === null ? null : say("asked_by_key", { url, why: refused }),
    isCut && !error ? say("uses_cut", { url }) : null,
  ]).filter(Boolean);
  const notes = [found.isBare && found.asked.length ? say("asked_bare") : null, ...troubles].filter(Boolean);
  const none = found.asked.length ? "uses_none" : "providers_none";
  // Where not all was asked or answered nobody knows that there are none.
  const hint = notes.length ? null : make("p", { class: "hint" }, say(none));
  body("uses").replaceChildren(
    ...notes.map((note) => make("p", { class: "problem" }, note)),
    found.rows.length ? make("ol", { class: "uses" }, found.rows.map((row) => useCard(row, names))) : hint ?? "");
}

function showGrants() {
  const grants = wallet.grants();
  const cards = grants.map((grant, number) => grantCard(number, grant, found.grants[number], { names, rows: found.rows, wallet, withdraw }));
  body("grants").replaceChildren(...(cards.length ? cards : [make("p", { class: "hint" }, say("grants_none"))]));
}

async function withdraw(number) {
  if (busy) return;
  problem(null, "grants-problem");
  const grant = wallet.grants()[number];
  if (!await confirmed(grant, names)) return;
  await working(() => bringWithdrawal(number, grant));
  showGrants();
  body("grants").querySelector(`[data-grant="${number}"]`).focus();
}

async function bringWithdrawal(number, grant) {
  const button = body("grants").querySelector(`[data-grant="${number}"] button`);
  button.textContent = say("withdrawing");
  byId("status").textContent = say("withdrawing");
  try {
    found.grants[number] = await withdrawn(trust, wallet, number, grant, providers);
    byId("status").textContent = say("withdraw_done");
    await trust.save();
  } catch (error) {
    byId("status").textContent = "";
    problem(say("withdraw_failed", { why: error.message }), "grants-problem");
  }
}

document.addEventListener("language", () => {
  if (wallet && !byId("ask-form").hidden) choose();
  show();
});
