// The register page: what the ledger holds, each fact behind its own proof.

import { loadRegister, Register } from "../fengni/register.js";
import { byId, make } from "./dom.js";
import { frame, showNetwork } from "./frame.js";
import * as gateway from "./gateway.js";
import { moment, pick, say, span } from "./language.js";
import { mark } from "./mark.js";
import { grid, legend } from "./pagegrid.js";
import { Trust } from "./trust.js";
import { ACTS, ROLES, STATUSES } from "./words.js";

const BLOCKS_SHOWN = 12;
const NEW_MILLIS = 2000;
const REGISTRIES_MILLIS = 15_000;
const LATEST = 8;
const PAGES_SHOWN = 64;

let trust;
const known = { members: null, types: null, books: null, blocks: [], newest: null, book: null };

frame();
start().catch((error) => problem(error.message ?? String(error)));

async function start() {
  trust = await Trust.open((checkpoint) => loadRegister().then(() => new Register(checkpoint)));
  showNetwork(trust.network);
  await registries();
  follow();
  document.documentElement.dataset.ready = "yes";
}

function problem(text) {
  byId("problem").textContent = text ?? "";
  byId("problem").hidden = !text;
}

const body = (id) => byId(id).querySelector(".body");

/** What is not proven is said to be so, and never shown. */
function unproven(id, error) {
  body(id).replaceChildren(make("p", { class: "unproven" }, mark(null), ` ${error?.message ?? ""}`));
}

const name = (member) => known.members?.records[member]?.name ?? `#${member}`;

// ---- newest blocks ---------------------------------------------------------------------------

async function follow() {
  if (document.visibilityState === "visible") {
    try {
      const header = await trust.newest();
      if (header.height !== known.newest?.height) await advance(header);
      problem();
    } catch (error) {
      if (trust.client.trust(Date.now()).contradictions > 0) problem(say("contradiction"));
      else if (error.kind) problem(say("offline"));
      else unproven("now", error);
    }
    showNow();
  }
  setTimeout(follow, NEW_MILLIS);
}

async function advance(header) {
  // Before the checkpoint no set of validators is known: nothing there could be checked.
  const first = trust.checkpoint.height + 1;
  const from = Math.max(first, header.height - BLOCKS_SHOWN + 1, (known.newest?.height ?? 0) + 1);
  const heights = Array.from({ length: header.height - from + 1 }, (_, at) => from + at);
  const blocks = await Promise.all(heights.map(async (height) => {
    try {
      const bytes = await gateway.block(height);
      return await trust.read((client) => client.checkBlock(bytes, Date.now()));
    } catch (error) {
      return { height, error };
    }
  }));
  known.blocks = [...blocks.reverse(), ...known.blocks].slice(0, BLOCKS_SHOWN);
  known.newest = header;
  await trust.save();
  showBlocks();
}

function showNow() {
  const header = known.newest;
  if (!header) return;
  const age = Math.max(0, Math.floor((Date.now() - header.time) / 1000));
  const fact = (title, ...value) => make("div", {}, make("dt", {}, title), make("dd", {}, ...value));
  body("now").replaceChildren(make("dl", { class: "tiles" },
    fact(say("height"), make("strong", {}, String(header.height)), " ", mark(header)),
    fact(say("time"), moment(header.time), make("small", {}, ` ${say("ago", { age: span(age) })}`)),
    fact(say("signatures"), `${header.signed_power} / ${header.power}`, make("small", {}, header.signers.map(name).join("、"))),
    fact(say("state_root"), make("code", {}, header.state_root.slice(0, 16)))));
}

function showBlocks() {
  const rows = known.blocks.map((block) => (block.error
    ? make("tr", {}, make("td", {}, String(block.height)), make("td", { colspan: 4 }, mark(null), ` ${block.error.message}`))
    : make("tr", {},
      make("th", { scope: "row" }, String(block.header.height)),
      make("td", {}, moment(block.header.time)),
      make("td", {}, name(block.header.proposer)),
      make("td", { class: "number" }, String(block.transactions)),
      make("td", {}, mark(block.header)))));
  body("blocks").replaceChildren(table(["height", "time", "proposer", "transactions", "proven"], rows));
}

function table(heads, rows) {
  return make("div", { class: "scroll", tabindex: 0 }, make("table", {},
    make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, head ? say(head) : "")))),
    make("tbody", {}, rows)));
}

// ---- registries ------------------------------------------------------------------------------

async function registries() {
  for (const [shelf, display] of [["members", showMembers], ["types", showTypes], ["books", showBooks]]) {
    try {
      known[shelf] = await trust.shelf(shelf);
      display();
    } catch (error) {
      if (error.kind && known[shelf]) continue;
      unproven(shelf, error);
    }
  }
  if (known.book !== null) await openBook(known.book, false);
  setTimeout(registries, REGISTRIES_MILLIS);
}

function showMembers() {
  const { records, header } = known.members;
  const rows = records.map((member) => make("tr", {},
    make("th", { scope: "row" }, member.name),
    make("td", {}, make("code", {}, member.code)),
    make("td", {}, member.division),
    make("td", {}, make("span", { class: "chips" }, member.roles.map((role) => make("span", {}, pick(ROLES[role]))))),
    make("td", { class: "number" }, String(member.power)),
    make("td", {}, pick(STATUSES[member.status])),
    make("td", {}, mark(header))));
  body("members").replaceChildren(table(["member", "credit_code", "division", "roles", "power", "status", "proven"], rows));
}

function showTypes() {
  const { records, header } = known.types;
  body("types").replaceChildren(make("div", { class: "cards" }, records.map((type) => make("article", { class: "card" },
    make("h3", {}, type.name, " ", mark(header)),
    make("code", {}, type.code),
    make("p", {}, `${say("code_lifetime")} ${span(type.code_lifetime_secs)} · ${say("offline_age")} ${span(type.offline_age_secs)}`),
    make("p", { class: "chips" }, type.schemas.at(-1).claims.map((claim) => make("span", { "data-everyday": claim.everyday ? "yes" : "no", title: claim.everyday ? say("everyday_mark") : null }, claim.label)))))));
}

const SUBJECTS = { cases: "cases", grants: "grants_book", receipts: "receipts_book" };
/** What a book is about: a type of certificates, or one of the others. */
const about = ({ subject, certificate_type: type }) => (subject in SUBJECTS ? say(SUBJECTS[subject]) : known.types?.records[type]?.name ?? `#${type}`);

function showBooks() {
  const { records, header } = known.books;
  const rows = records.map((book) => make("tr", {},
    make("th", { scope: "row" }, `${book.number} · ${about(book)}`),
    make("td", {}, name(book.keeper)),
    make("td", {}, book.division),
    ...[book.lines, book.pages.size, book.seals.size, book.acts.size].map((number) => make("td", { class: "number" }, String(number))),
    make("td", {}, mark(header)),
    make("td", {}, make("button", { type: "button", class: "quiet", onclick: () => openBook(book.number, true) }, say("look")))));
  body("books").replaceChildren(table(["book", "keeper", "division", "lines", "page_count", "seals", "acts", "proven", ""], rows));
}

// ---- one book --------------------------------------------------------------------------------

async function openBook(number, move) {
  known.book = number;
  const book = known.books.records[number];
  byId("book").hidden = false;
  byId("book-title").textContent = say("book_title", { type: about(book), keeper: name(book.keeper) });
  try {
    const last = (size, count) => Array.from({ length: Math.min(size, count) }, (_, at) => size - 1 - at);
    const pages = last(book.pages.size, PAGES_SHOWN).map((page) => `page/${number}/${page}`);
    const seals = last(book.seals.size, LATEST).map((seal) => `seal/${number}/${seal}`);
    const acts = last(book.acts.size, LATEST).map((act) => `act/${number}/${act}`);
    // What the book's lists hold is proven under the book's own record.
    const places = [`books/${number}`, ...pages, ...seals, ...acts];
    const proven = await trust.prove(places);
    showBook(number, proven, { pages, seals, acts });
  } catch (error) {
    unproven("book", error);
  }
  if (move) {
    byId("book").scrollIntoView({ block: "start" });
    byId("book").focus({ preventScroll: true });
  }
}

function showBook(number, { entries, header }, { pages, seals, acts }) {
  const page = (place) => {
    const found = entries[place];
    const exceptions = found.exceptions.length;
    return make("figure", { class: "page" },
      grid(found),
      make("figcaption", {},
        make("b", {}, say("page_of", { page: place.split("/")[2], lines: found.lines })),
        make("span", {}, exceptions ? say("page_exceptions", { n: exceptions }) : say("page_all_active")), mark(header)));
  };
  const seal = (place) => {
    const { first, count, height } = entries[place];
    return make("li", {}, say("seal_text", { first, last: first + count - 1, height }), " ", mark(header));
  };
  const act = (place) => {
    const { line, kind, by, height } = entries[place];
    return make("li", {}, say("act_text", { line, kind: pick(ACTS[kind]), by: name(by), height }), " ", mark(header));
  };
  const list = (title, places, show) => (places.length === 0 ? null : make("div", {}, make("h3", {}, say(title)), make("ul", { class: "plain" }, places.map(show))));
  body("book").replaceChildren(
    legend(),
    make("div", { class: "pages" }, pages.map(page)),
    make("div", { class: "columns" }, list("latest_seals", seals, seal), list("latest_acts", acts, act)));
}

document.addEventListener("language", () => {
  if (known.members) showMembers();
  if (known.types) showTypes();
  if (known.books) showBooks();
  if (known.blocks.length) showBlocks();
  if (known.book !== null) openBook(known.book, false);
  showNow();
});
