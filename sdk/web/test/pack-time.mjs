// How long a browser takes from a province's pack to a verdict. Printed, not asserted.
//
//   fengni-bench packs --write FOLDER
//   node sdk/web/test/pack-time.mjs --site $CARGO_TARGET_DIR/web --province FOLDER [--slower 4]
//
// `--slower` throttles the processor, as developer tools do: 4 is about a cheap phone.
// CHROMIUM names the browser (/usr/bin/chromium). Exit code 0 when the codes were valid by the pack.

import { createServer } from "node:http";
import { parseArgs } from "node:util";
import puppeteer from "puppeteer-core";

import { serve } from "../dev/serve.mjs";
import { province, table, timed } from "../../wasm/test/province.mjs";

const RUNS = 5;

const { values: { site, province: folder, slower } } = parseArgs({
  options: { site: { type: "string" }, province: { type: "string" }, slower: { type: "string", default: "1" } },
});
const { scene, pack } = await province(folder);
const gateway = createServer((_, answer) => answer.writeHead(200, { "content-type": "application/octet-stream" }).end(pack));
await new Promise((resolve) => gateway.listen(0, "127.0.0.1", resolve));
const server = await serve({ site, gateway: `http://127.0.0.1:${gateway.address().port}` });
const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: ["--no-sandbox"] });
try {
  const runs = [];
  while (runs.length < RUNS) runs.push(await inFreshPage());
  table(scene, pack, runs);
} finally {
  await browser.close();
  server.close();
  gateway.close();
}

async function inFreshPage() {
  const page = await browser.newPage();
  await page.emulateCPUThrottling(Number(slower));
  // Any file of the pages will do: what counts is its origin and its policy.
  await page.goto(new URL("style/base.css", server.url));
  const figures = await page.evaluate(`(async () => {
    const began = performance.now();
    const { load, Verifier } = await import("/web/fengni/index.js");
    await load();
    const loaded = performance.now();
    const pack = new Uint8Array(await (await fetch("/v1/packs")).arrayBuffer());
    const fetched = performance.now();
    const steps = (${timed})(Verifier, ${JSON.stringify({ ...scene, codes: scene.codes.slice(0, 3) })}, pack);
    return { "loading the module": loaded - began, "fetching the pack from this host": fetched - loaded, ...steps };
  })()`);
  await page.close();
  return figures;
}
