// The pages in a real headless Chromium, against a running network.
//
//   FENGNI_HOME      folder of a sample network that is up (`fengni sample`, `fengni up`)
//   FENGNI_ISSUER    member folder below it whose key suspends (members/psb)
//   FENGNI_WALLETS   folder with certificate files and their keys, as `fengni issue --out` writes them
//   FENGNI_BIN       the program `fengni`
//   FENGNI_GATEWAY   address of a gateway; else the observer's of FENGNI_HOME
//   FENGNI_SITE      folder that `make web` made; served by dev/serve.mjs
//   FENGNI_SERVED    when set, the pages are the gateway's own, with its policy and its checkpoint
//   FENGNI_SHOTS     folder for screenshots; none are made without it
//   CHROMIUM         the browser (/usr/bin/chromium)
//
// Exit code 0 when everything was as it should be; what was not is on stderr.

import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import assert from "node:assert/strict";
import puppeteer from "puppeteer-core";

import { checkpoint } from "../dev/checkpoint.mjs";
import { serve } from "../dev/serve.mjs";
import { readPng } from "./png.mjs";
import { film } from "./video.mjs";

const { FENGNI_HOME: home, FENGNI_ISSUER: issuer, FENGNI_WALLETS: wallets, FENGNI_BIN: bin, FENGNI_SITE: site } = process.env;
const { FENGNI_SHOTS: shots, CHROMIUM: chromium = "/usr/bin/chromium" } = process.env;
const run = promisify(execFile);
const PURPOSE = "101";
const SIZES = { phone: { width: 390, height: 844, deviceScaleFactor: 2 }, desktop: { width: 1280, height: 800 } };

const work = await mkdtemp(join(tmpdir(), "fengni-web-"));
const troubles = [];
const scene = await setUp();
try {
  for (const [name, step] of Object.entries(steps())) {
    const began = Date.now();
    await step();
    console.log(`${name}: ${Date.now() - began} ms`);
  }
} finally {
  scene.server.close();
  await rm(work, { recursive: true, force: true });
}
assert.deepEqual(troubles, [], "no page complained, broke its policy or asked elsewhere");

// ---- what is tried ---------------------------------------------------------------------------

function steps() {
  return {
    "a code in front of the camera is valid": () => inBrowser(async (open) => {
      const page = await open("index.html", "desktop");
      await settings(page);
      await shoot(page, "verifier");
      await scan(page, "VALID");
      await shoot(page, "verifier-valid");
    }),
    "the same code again is refused": () => inBrowser(async (open) => {
      const page = await open("index.html", "phone");
      await settings(page);
      const text = await code();
      await paste(page, text, "VALID");
      await page.click("#again");
      await paste(page, text, "CODE_REPLAYED");
      await shoot(page, "verifier-replayed");
    }),
    "a typed identifier tells the record only, and the wrong character": () => inBrowser(async (open) => {
      const page = await open("index.html", "phone");
      await settings(page);
      await page.click("#tab-typed");
      await page.type("#typed", scene.identifier.slice(0, 40));
      await page.waitForFunction(() => document.getElementById("typed").getAttribute("aria-invalid") === "false");
      const wrong = scene.identifier.replace("001.11319900", "001.11319901");
      await fill(page, "#typed", wrong);
      await page.waitForFunction(() => document.getElementById("typed").getAttribute("aria-invalid") === "true");
      await shoot(page, "verifier-typed");
      await fill(page, "#typed", scene.identifier.toLowerCase());
      await page.click("#typed-check");
      await verdict(page, "DOCUMENT_STATUS_ONLY");
      await shoot(page, "verifier-record");
    }),
    "a text that is no code is malformed, and without a network nothing is decided": () => inBrowser(async (open) => {
      const page = await open("index.html", "desktop");
      await settings(page);
      await paste(page, "FN1:HELLO", "MALFORMED");
      await shoot(page, "verifier-malformed");
      const text = await code();
      scene.cut = true;
      try {
        await page.click("#again");
        await paste(page, text, "LEDGER_UNREACHABLE");
        await shoot(page, "verifier-unreachable");
        // The shell is on the device: the page itself opens without a network.
        await page.reload();
        await ready(page);
      } finally {
        scene.cut = false;
      }
    }),
    "a proof that was tampered with decides nothing": () => inBrowser(async (open) => {
      const page = await open("index.html", "phone");
      await settings(page);
      scene.rewrite = flipped("/v1/proofs/line");
      try {
        await paste(page, await code(), "LEDGER_UNREACHABLE");
        assert.match(await page.$eval("#answer", (answer) => answer.textContent), /网关给出的证明不成立/);
      } finally {
        scene.rewrite = undefined;
      }
    }),
    "a picture file is read": () => inBrowser(async (open) => {
      const page = await open("index.html", "phone");
      await settings(page);
      const png = join(work, "upload.png");
      await fengni("show", scene.certificate, "--purpose", PURPOSE, "--png", png);
      await page.click("#tab-picture");
      await (await page.$("#picture")).uploadFile(png);
      await verdict(page, "VALID");
      await shoot(page, "verifier-valid-picture");
    }),
    "the holder's page shows a code that verifies, and no verdict": () => inBrowser(async (open) => {
      const page = await open("holder.html", "phone");
      await (await page.$("#files")).uploadFile(scene.certificate, scene.certificate.replace(/\.certificate$/, ".key"));
      await page.waitForSelector("#show-form:not([hidden])");
      await shoot(page, "holder");
      await page.select("#purpose", PURPOSE);
      await page.click("#show-form .primary");
      await page.waitForSelector("#shown:not([hidden]) svg");
      await shoot(page, "holder-code");
      const text = await page.$eval("#text", (area) => area.value);
      assert.doesNotMatch(await page.$eval("#shown", (shown) => shown.innerText), /有效(?!期)|通过|[✓✔✕]/);
      const verifier = await open("index.html", "phone");
      await settings(verifier);
      await paste(verifier, text, "VALID");
    }),
    "the register's facts are checked before they are shown": () => inBrowser(async (open) => {
      const page = await open("register.html", "desktop");
      await page.waitForSelector("#blocks tbody tr .mark[data-proven=yes]");
      await page.waitForSelector("#books tbody button");
      await page.click("#books tbody button");
      await page.waitForSelector("#book .page svg");
      assert.equal(await page.$$eval(".mark[data-proven=no]", (marks) => marks.length), 0);
      await shoot(page, "register");
      scene.rewrite = flipped("/v1/proofs");
      try {
        await page.reload();
        await page.waitForSelector("#members .mark[data-proven=no]");
        assert.equal(await page.$$eval("#members td", (cells) => cells.length), 0, "what is not proven is not shown");
      } finally {
        scene.rewrite = undefined;
      }
    }),
    "with a pack the code is valid without a network, and stale a day later": () => inBrowser(async (open) => {
      const page = await open("index.html", "phone");
      await settings(page);
      scene.rewrite = flipped("/v1/packs");
      await updatePack(page, /未采用/);
      scene.rewrite = undefined;
      await updatePack(page, /的状态$/);
      scene.rewrite = flipped("/v1/packs");
      await updatePack(page, /的状态 · .*未采用/);
      scene.rewrite = undefined;
      scene.cut = true;
      try {
        await page.reload();
        await ready(page);
        await scan(page, "VALID_OFFLINE");
        await shoot(page, "verifier-offline");
        const later = await open("index.html", "phone", 25);
        await paste(later, await codeIn(later), "STATUS_STALE");
        await shoot(later, "verifier-stale");
      } finally {
        scene.cut = false;
      }
    }),
    "after its issuer suspends it, the code is refused": async () => {
      await fengni("standing", "suspend", scene.identifier, "--reason", "201", "--decision", join(home, "genesis.toml"), "--home", join(home, issuer));
      await inBrowser(async (open) => {
        const page = await open("index.html", "desktop");
        await settings(page);
        await scan(page, "SUSPENDED");
        await shoot(page, "verifier-suspended");
      });
    },
  };
}

/** A gateway that alters one bit of what it answers at a path. */
function flipped(path) {
  return (asked, bytes) => {
    if (asked !== path) return bytes;
    const other = Buffer.from(bytes);
    other[other.length - 40] ^= 1;
    return other;
  };
}

// ---- doing what a person does ------------------------------------------------------------------

async function settings(page) {
  if (await page.$eval("#as", (as) => as.textContent) !== "无") return;
  await page.click("#change");
  await page.waitForSelector("#settings[open] #member option");
  await page.select("#member", "1");
  await page.select("#purpose", PURPOSE);
  await page.click("#settings-form [value=save]");
  await page.waitForSelector("#settings:not([open])");
  await page.waitForFunction(() => document.getElementById("as").textContent !== "无");
}

async function scan(page, code) {
  await page.click("#camera-start");
  await verdict(page, code);
}

async function fill(page, selector, text) {
  await page.$eval(selector, (area) => { area.value = ""; });
  await page.type(selector, text);
}

async function paste(page, text, code) {
  await page.click("#tab-text");
  await page.$eval("#text", (area, value) => { area.value = value; }, text);
  await page.click("#text-form .primary");
  await verdict(page, code);
}

async function updatePack(page, expected) {
  const before = await page.$eval("#pack", (pack) => pack.dataset.updated ?? "0");
  await page.click("#pack-update");
  await page.waitForFunction((count) => (document.getElementById("pack").dataset.updated ?? "0") !== count, {}, before);
  assert.match(await page.$eval("#pack-text", (text) => text.textContent), expected);
}

/** A code made by the page's clock, which may not be this machine's. */
async function codeIn(page) {
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

async function verdict(page, code) {
  await page.waitForSelector("#answer:not([hidden]) .word", { timeout: 20_000 });
  assert.equal(await page.$eval("#answer .word", (word) => word.dataset.code), code);
}

/** A picture of the page at both sizes, plain and in care mode. */
async function shoot(page, name) {
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
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) troubles.push(`${name}: ${wide} pixels too wide on ${size}, care ${care}`);
    }
    await page.evaluate(() => document.getElementById("care").click());
  }
  await page.setViewport(before);
}

// ---- the scene -------------------------------------------------------------------------------

async function setUp() {
  if (shots) await mkdir(shots, { recursive: true });
  const network = JSON.parse(await readFile(join(home, "network.json"), "utf8"));
  const gateway = process.env.FENGNI_GATEWAY ?? network.nodes.find(({ role }) => role === "observer").gateway;
  const seen = join(work, "seen.json");
  await run(bin, ["network", "--network", home, "--state", seen]);
  const begin = join(work, "checkpoint.json");
  await writeFile(begin, JSON.stringify(await checkpoint(seen)));
  const names = (await readdir(wallets)).filter((name) => name.endsWith(".certificate")).sort();
  const name = process.env.FENGNI_CERTIFICATE ?? names[0];
  const made = { cut: false, rewrite: undefined, certificate: join(wallets, name), identifier: name.replace(/\.certificate$/, "") };
  made.server = await serve({
    site: process.env.FENGNI_SERVED ? undefined : site, gateway, checkpoint: begin, cut: () => made.cut, rewrite: (path, bytes) => (made.rewrite ? made.rewrite(path, bytes) : bytes),
  });
  made.network = network.network;
  const proof = await fetch(new URL("/v1/proofs?places=types/0,types/1,types/2,types/3", gateway));
  const proven = await verifierOf().then((verifier) => proof.arrayBuffer().then((bytes) => verifier.checkProof(new Uint8Array(bytes), Date.now())));
  made.types = Object.values(proven.entries).map(({ encoded }) => encoded);
  return made;

  async function verifierOf() {
    const { load, Verifier } = await import(join(site, "fengni/index.js"));
    await load();
    return Verifier.fromCheckpoint(JSON.parse(await readFile(begin, "utf8")));
  }
}

async function fengni(...args) {
  return (await run(bin, [...args, "--network", home])).stdout.trim();
}

/** The text of a fresh code. */
function code() {
  return fengni("show", scene.certificate, "--purpose", PURPOSE, "--text");
}

async function ready(page) {
  await page.waitForFunction(() => document.documentElement.dataset.ready === "yes");
}

/** A browser whose camera sees a fresh code. */
async function inBrowser(story) {
  const [png, video] = [join(work, "code.png"), join(work, "code.y4m")];
  await fengni("show", scene.certificate, "--purpose", PURPOSE, "--png", png);
  await film(video, readPng(await readFile(png)));
  const browser = await puppeteer.launch({
    executablePath: chromium,
    headless: true,
    args: [
      "--no-sandbox", "--lang=zh-CN", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
      `--use-file-for-fake-video-capture=${video}`,
    ],
  });
  try {
    await story(async (path, size, hoursAhead = 0) => {
      const page = await browser.newPage();
      watch(page);
      await page.evaluateOnNewDocument((millis) => {
        const now = Date.now;
        Date.now = () => now() + millis;
      }, hoursAhead * 3_600_000);
      await page.setViewport(SIZES[size]);
      await page.evaluateOnNewDocument(() => { localStorage.setItem("fengni language", "zh"); });
      await page.goto(new URL(path, scene.server.url));
      await ready(page);
      return page;
    });
  } finally {
    await browser.close();
  }
}

/** Nothing is loaded from elsewhere, no policy is broken, no error goes unnoticed. */
function watch(page) {
  const origin = new URL(scene.server.url).origin;
  page.on("request", (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && asked !== origin) troubles.push(`asked elsewhere: ${request.url()}`);
  });
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    // A gateway that is cut off or says 404 is part of the stories.
    if (/Failed to load resource|net::ERR/.test(message.text())) return;
    troubles.push(message.text());
  });
}
