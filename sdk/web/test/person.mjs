// What a person does on the pages, and what is seen of it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import assert from "node:assert/strict";

import { PURPOSE, SIZES, scene, shots, troubles } from "./scene.mjs";

export async function settings(page) {
  if (await page.$eval("#as", (as) => as.textContent) !== "未选择") return;
  await page.click("#change");
  await page.waitForSelector("#settings[open] #member option");
  await page.select("#member", "1");
  await page.select("#purpose", PURPOSE);
  await page.click("#settings-form [value=save]");
  await page.waitForSelector("#settings:not([open])");
  await page.waitForFunction(() => document.getElementById("as").textContent !== "未选择");
}

export async function scan(page, code) {
  await page.click("#camera-start");
  await verdict(page, code);
}

export async function fill(page, selector, text) {
  await page.$eval(selector, (area) => { area.value = ""; });
  await page.type(selector, text);
}

export async function paste(page, text, code) {
  await page.click("#tab-text");
  await page.$eval("#text", (area, value) => { area.value = value; }, text);
  await page.click("#text-form .primary");
  await verdict(page, code);
}

export async function updatePack(page, expected) {
  const before = await page.$eval("#pack", (pack) => pack.dataset.updated ?? "0");
  await page.click("#pack-update");
  await page.waitForFunction((count) => (document.getElementById("pack").dataset.updated ?? "0") !== count, {}, before);
  assert.match(await page.$eval("#pack-text", (text) => text.textContent), expected);
}

/** A code made by the page's clock, which may not be this machine's. */
export async function codeIn(page) {
  const certificate = [...(await readFile(scene.certificate))];
  const key = await readFile(scene.certificate.replace(/\.certificate$/, ".key"), "utf8");
  return page.evaluate(async (bytes, keyFile, purpose, network, types) => {
    const { loadWallet, Wallet } = await import("./fengni/wallet.js");
    await loadWallet();
    const wallet = new Wallet(network);
    wallet.add(Uint8Array.from(bytes));
    wallet.addKey(keyFile);
    types.forEach((type) => wallet.learn(type));
    return wallet.show(wallet.list()[0].identifier, { purpose }, Date.now()).text;
  }, certificate, key, Number(PURPOSE), scene.network, scene.types);
}

export async function verdict(page, code) {
  await page.waitForSelector("#answer:not([hidden]) .word", { timeout: 20_000 });
  assert.equal(await page.$eval("#answer .word", (word) => word.dataset.code), code);
}

/** Nothing is to be scrolled sideways. */
export async function fits(page, what) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) troubles.push(`${what}: ${wide} pixels too wide`);
}

/** A picture of the page at both sizes, plain and in care mode. */
export async function shoot(page, name) {
  if (!shots) return;
  const before = page.viewport();
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewport(viewport);
    for (const care of ["off", "on"]) {
      await page.evaluate((state) => {
        if (document.documentElement.dataset.care !== state) document.getElementById("care").click();
      }, care);
      // Animations end, fonts load.
      await new Promise((resolve) => setTimeout(resolve, 300));
      await page.screenshot({ path: join(shots, `${name}-${size}${care === "on" ? "-care" : ""}.png`), fullPage: true });
      await fits(page, `${name} on ${size}, care ${care}`);
    }
    await page.evaluate(() => document.getElementById("care").click());
  }
  await page.setViewport(before);
}

/** The holder’s page with the certificate and its key. */
export async function openWallet(page) {
  await (await page.$("#files")).uploadFile(scene.certificate, scene.certificate.replace(/\.certificate$/, ".key"));
  await page.waitForSelector("#show-form:not([hidden])");
}
