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
import { providersOf } from "./provider.js";
import { Trust } from "./trust.js";
import { usesOf } from "./uses.js";
import { useCard } from "./useview.js";

let trust;
let names;
let wallet;
/** What was found: null until the holder asked. */
let found = null;
let providers = [];

frame();
start().catch((error) => problem(error.message ?? String(error)));

async function start() {
  [trust] = await Promise.all([Trust.open((checkpoint) => loadRegister().then(() => new Register(checkpoint))), loadWallet()]);
  showNetwork(trust.network);
  names = await Names.of(trust);
  byId("providers").value = new URL(document.URL).searchParams.getAll("provider").join("\n");
  document.documentElement.dataset.ready = "yes";
}

function problem(text, id = "problem") {
  byId(id).textContent = text ?? "";
  byId(id).hidden = !text;
}

// ---- what is asked ---------------------------------------------------------------------------

byId("files").addEventListener("change", async ({ target }) => {
  problem();
  wallet?.free();
  [wallet, found] = [null, null];
  byId("ask-form").hidden = true;
  show();
  try {
    wallet = await walletOf(target.files, trust);
    if (!wallet.list().some(({ has_key: hasKey }) => hasKey)) throw new Error(say("mine_choose"));
    choose();
    byId("ask-form").hidden = false;
  } catch (error) {
    problem(say("wallet_bad", { why: error.message ?? String(error) }));
  }
  target.value = "";
});

function choose() {
  const held = wallet.list();
  const first = held.find(({ has_key: hasKey, type_code: type }) => hasKey && names.naming(type)) ?? held.find(({ has_key: hasKey }) => hasKey);
  byId("held").replaceChildren(...held.map((one) => make("label", { class: "card" },
    make("input", { type: "radio", name: "held", value: one.identifier, checked: one === first, disabled: !one.has_key }),
    make("span", {},
      make("b", {}, one.certificate_type ?? one.type_code),
      make("code", {}, one.identifier.split(".").slice(-3).join(".")),
      one.has_key ? null : make("small", {}, say("no_key"))))));
}

/** The fields that say who the holder is: the one that names them, else whatever is shown every day. */
function namingFields({ type_code: type, fields }) {
  const naming = names.naming(type);
  const label = fields.find((field) => field.label === naming)?.label ?? fields.find(({ everyday }) => everyday)?.label;
  return label ? [label] : undefined;
}

byId("ask-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  problem();
  try {
    providers = providersOf(byId("providers").value, names);
  } catch (error) {
    return problem(say("provider_bad", { line: error.message }));
  }
  byId("ask").disabled = true;
  try {
    found = await find();
    show();
    byId("uses").focus();
  } catch (error) {
    problem(error.kind ? say("offline") : error.message);
  }
  byId("ask").disabled = false;
});

async function find() {
  const chosen = wallet.list().find(({ identifier }) => identifier === byId("held").querySelector(":checked").value);
  names = await Names.of(trust);
  const [asked, standings, objections] = [[], [], await trust.shelf("objections")];
  for (const provider of providers) {
    asked.push(await usesOf(trust, wallet, provider, chosen.identifier, namingFields(chosen)).catch((error) => ({ rows: [], provider, error })));
  }
  for (const held of wallet.list()) standings.push({ held, found: await certificateStanding(trust, wallet, held) });
  const rows = asked.flatMap((one) => one.rows).sort((a, b) => timeOf(b) - timeOf(a));
  // Without any record nothing else says how new the list of objections is.
  objections.header ??= await trust.newest();
  const grants = await Promise.all(wallet.grants().map((grant, number) => grantStanding(trust, wallet, number, grant)));
  await trust.save();
  return { asked, rows, grants, certificates: standings, objections };
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
  const notes = found.asked.flatMap(({ provider, error, byKey }) => [
    error ? say("provider_silent", { url: provider.url, why: error.message }) : null,
    byKey ? say("asked_by_key") : null,
  ]).filter(Boolean);
  const none = say(providers.length ? "uses_none" : "providers_none");
  body("uses").replaceChildren(
    ...notes.map((note) => make("p", { class: "problem" }, note)),
    found.rows.length ? make("ol", { class: "uses" }, found.rows.map((row) => useCard(row, names))) : make("p", { class: "hint" }, none));
}

function showGrants() {
  const grants = wallet.grants();
  const cards = grants.map((grant, number) => grantCard(number, grant, found.grants[number], { names, rows: found.rows, withdraw }));
  body("grants").replaceChildren(...(cards.length ? cards : [make("p", { class: "hint" }, say("grants_none"))]));
}

async function withdraw(number) {
  problem(null, "grants-problem");
  const grant = wallet.grants()[number];
  if (!await confirmed(grant, names)) return;
  const button = body("grants").querySelector(`[data-grant="${number}"] button`);
  button.disabled = true;
  button.textContent = say("withdrawing");
  try {
    found.grants[number] = await withdrawn(trust, wallet, number, grant, providers);
    await trust.save();
  } catch (error) {
    problem(say("withdraw_failed", { why: error.message }), "grants-problem");
  }
  showGrants();
}

document.addEventListener("language", () => {
  if (wallet && !byId("ask-form").hidden) choose();
  show();
});
