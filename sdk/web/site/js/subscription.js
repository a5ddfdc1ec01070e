// What the device takes along: types and regions, chosen among those that have books.
//
// Names are proven; sizes are the gateway's own word, and good enough for choosing.

import { byId, make } from "./dom.js";
import * as gateway from "./gateway.js";
import { say, size } from "./language.js";
import { keep, recall } from "./store.js";

/** Up to here a device takes everything without asking. */
const SMALL_BYTES = 8 * 1024 * 1024;
/** With more regions than these, whole provinces are offered. */
const REGIONS_SHOWN = 40;

/** What is wanted; an empty list means every type, or everywhere. */
export const ALL = { types: [], regions: [] };

export class Subscription {
  #trust;
  #chosen;

  constructor(trust) {
    this.#trust = trust;
  }

  async load() {
    this.#chosen = (await recall(`subscription ${this.#trust.network}`)) ?? null;
    this.#trust.client.subscribe(this.wanted);
  }

  get wanted() {
    return this.#chosen ?? ALL;
  }

  /** Whether somebody should choose before so much is fetched. */
  async isLarge() {
    if (this.#chosen || this.#trust.client.pack) return false;
    const { books } = await gateway.packIndex();
    return bytesOf(books, ALL) > SMALL_BYTES;
  }

  /** Lets the clerk choose; whether anything was chosen. */
  async choose() {
    const dialog = byId("subscription");
    const found = await offers(this.#trust).catch(() => null);
    byId("subscription-problem").hidden = found !== null;
    byId("subscription-offers").hidden = !found;
    byId("subscription-save").disabled = !found;
    byId("subscription-sum").textContent = "";
    if (found) fill(found, this.wanted);
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue !== "save" || !found) return false;
    this.#chosen = picked();
    this.#trust.client.subscribe(this.#chosen);
    await keep(`subscription ${this.#trust.network}`, this.#chosen);
    return true;
  }
}

/** Types and regions that have books, with names that a quorum proves. */
async function offers(trust) {
  const [{ books }, types, codes] = [await gateway.packIndex(), await trust.shelf("types"), await trust.shelf("codes")];
  const divisions = codes.records.find((set) => set.name === "divisions")?.codes ?? [];
  const regionName = (stem) => divisions.find(({ code }) => covers(stem, code) && covers(code, stem))?.name ?? stem;
  const kinds = distinct(books.map((book) => book.certificate_type)).sort((a, b) => a - b);
  let regions = distinct(books.map((book) => book.division)).sort();
  if (regions.length > REGIONS_SHOWN) regions = distinct(regions.map((division) => division.slice(0, 2)));
  return {
    books,
    types: kinds.map((number) => ({ value: number, name: types.records[number]?.name ?? String(number) })),
    regions: regions.map((division) => ({ value: division, name: regionName(division) })),
  };
}

const distinct = (list) => [...new Set(list)];

/** Whether a region is another, or holds it: rule ID-7 of `sdk/spec/identifiers.md`. */
function covers(region, other) {
  let stem = region;
  for (const [length, filler] of [[9, "000"], [6, "00"], [4, "00"]]) {
    if (stem.length === length && stem.endsWith(filler)) stem = stem.slice(0, -filler.length);
  }
  return other.startsWith(stem);
}

function bytesOf(books, { types, regions }) {
  const wanted = books.filter((book) =>
    (types.length === 0 || types.includes(book.certificate_type))
    && (regions.length === 0 || regions.some((region) => covers(region, book.division))));
  return wanted.reduce((sum, { bytes }) => sum + bytes, 0);
}

// ---- the form ---------------------------------------------------------------------------------

const LISTS = { types: "subscription-types", regions: "subscription-regions" };
const boxes = (list) => [...byId(LISTS[list]).querySelectorAll("input")];
const onlySome = () => byId("subscription-some").checked;

function fill({ books, types, regions }, wanted) {
  const all = wanted.types.length === 0 && wanted.regions.length === 0;
  byId("subscription-all").checked = all;
  byId("subscription-some").checked = !all;
  const offer = (list, entries, only) => byId(LISTS[list]).replaceChildren(...entries.map(({ value, name }) => make("label", { class: "field" },
    make("input", { type: "checkbox", value, checked: wanted[list].length === 0 || wanted[list].includes(value) }),
    make("span", {}, name, make("small", {}, say("about", { size: size(bytesOf(books, only(value))) }))))));
  offer("types", types, (type) => ({ types: [type], regions: [] }));
  offer("regions", regions, (region) => ({ types: [], regions: [region] }));
  const weigh = () => {
    byId("subscription-lists").hidden = !onlySome();
    const empty = onlySome() && Object.keys(LISTS).some((list) => boxes(list).every((box) => !box.checked));
    byId("subscription-save").disabled = empty;
    byId("subscription-sum").textContent = empty ? say("pick_one_each") : say("pack_size", { size: size(bytesOf(books, picked())) });
  };
  byId("subscription-form").onchange = weigh;
  weigh();
}

/** What the boxes say. Every box means every type there will be, which is more than those of today. */
function picked() {
  if (!onlySome()) return ALL;
  const values = (list) => {
    const checked = boxes(list).filter((box) => box.checked);
    return checked.length === boxes(list).length ? [] : checked.map((box) => box.value);
  };
  return { types: values("types").map(Number), regions: values("regions") };
}
