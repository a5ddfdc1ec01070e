// What the stories of browser.mjs play in: a network that runs, the pages before it, a browser.

import { mkdtemp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import puppeteer from "puppeteer-core";

import { serve } from "../dev/serve.mjs";
import { readPng } from "./png.mjs";
import { film } from "./video.mjs";

const { FENGNI_HOME, FENGNI_ISSUER: issuer, FENGNI_WALLETS: wallets, FENGNI_BIN: bin, FENGNI_SITE: site } = process.env;
const { CHROMIUM: chromium = "/usr/bin/chromium" } = process.env;
const run = promisify(execFile);

export const home = FENGNI_HOME;
export const member = join(home, issuer);
export const shots = process.env.FENGNI_SHOTS;
export const PURPOSE = "101";
export const SIZES = { phone: { width: 390, height: 844, deviceScaleFactor: 2 }, desktop: { width: 1280, height: 800 } };
export const work = await mkdtemp(join(tmpdir(), "fengni-web-"));
/** What nobody expected, in words. */
export const troubles = [];
export const scene = await setUp();

/** The network at hand, and the pages before its gateway. What the stories change is a field here. */
async function setUp() {
  if (shots) await mkdir(shots, { recursive: true });
  const network = JSON.parse(await readFile(join(home, "network.json"), "utf8"));
  const gateway = process.env.FENGNI_GATEWAY ?? network.nodes.find(({ role }) => role === "observer").gateway;
  const begin = join(work, "checkpoint.json");
  await run(bin, ["network", "--network", home, "--checkpoint", begin]);
  const names = (await readdir(wallets)).filter((name) => name.endsWith(".certificate")).sort();
  const name = process.env.FENGNI_CERTIFICATE ?? names[0];
  const made = {
    cut: false, rewrite: undefined, snap: undefined, certificate: join(wallets, name), identifier: name.replace(/\.certificate$/, ""),
  };
  made.server = await serve({
    site: process.env.FENGNI_SERVED ? undefined : site, gateway, checkpoint: begin, cut: () => made.cut,
    rewrite: (path, bytes) => made.rewrite?.(path, bytes) ?? bytes, snap: (path, headers) => made.snap?.(path, headers),
  });
  made.provider = await provider(made);
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

/** The provider's gateway at hand, before it somebody who may change what it answers. */
async function provider(made) {
  if (!process.env.FENGNI_PROVIDER) return undefined;
  const [member, url] = process.env.FENGNI_PROVIDER.split("=");
  const server = await serve({ gateway: url, rewrite: (path, bytes) => made.provider.rewrite?.(path, bytes) ?? bytes });
  return { member, server, origin: new URL(server.url).origin, rewrite: undefined };
}

export async function fengni(...args) {
  return (await run(bin, [...args, "--network", home])).stdout.trim();
}

/** The text of a fresh code. */
export function code() {
  return fengni("show", scene.certificate, "--purpose", PURPOSE, "--text");
}

export async function ready(page) {
  await page.waitForFunction(() => document.documentElement.dataset.ready === "yes");
}

/** A browser whose camera sees a fresh code. */
export async function inBrowser(story) {
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
  const known = [new URL(scene.server.url).origin, scene.provider?.origin];
  page.on("request", (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && !known.includes(asked)) troubles.push(`asked elsewhere: ${request.url()}`);
  });
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    // A gateway that is cut off or says 404 is part of the stories.
    if (/Failed to load resource|net::ERR/.test(message.text())) return;
    troubles.push(message.text());
  });
}
