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
//   FENGNI_ONLY      tells only the stories whose name holds this
//   FENGNI_PROVIDER  a provider's gateway, as NUMBER=URL: tells the stories of the holder's own page instead
//   FENGNI_MINE      folder with a holder's certificate, its key and g1.mine.json
//   CHROMIUM         the browser (/usr/bin/chromium)
//
// Exit code 0 when everything was as it should be; what was not is on stderr.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import assert from "node:assert/strict";

import { stories } from "./mine.mjs";
import { codeIn, fill, fits, openWallet, paste, scan, settings, shoot, updatePack, verdict } from "./person.mjs";
import { code, fengni, home, inBrowser, member, PURPOSE, ready, scene, troubles, work } from "./scene.mjs";

try {
  for (const [name, step] of Object.entries(scene.provider ? stories() : steps())) {
    if (!name.includes(process.env.FENGNI_ONLY ?? "")) continue;
    const began = Date.now();
    await step();
    console.log(`${name}: ${Date.now() - began} ms`);
  }
} finally {
  scene.server.close();
  scene.provider?.server.close();
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
      await openWallet(page);
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
    "a download that breaks off goes on where it was": () => inBrowser(async (open) => {
      const page = await open("index.html", "phone");
      await settings(page);
      const asked = [];
      scene.snap = (path, headers) => {
        if (path !== "/v1/packs") return undefined;
        asked.push({ range: headers.range, tag: headers["if-range"] });
        return asked.length < 3 ? 2000 : undefined;
      };
      try {
        await updatePack(page, /的状态$/);
      } finally {
        scene.snap = undefined;
      }
      assert.deepEqual(asked.map(({ range }) => range), [undefined, "bytes=2000-", "bytes=4000-"]);
      assert.ok(asked[1].tag && asked[1].tag === asked[2].tag, "the rest of the same bytes");
    }),
    "a download that was stopped goes on after the page was closed": () => inBrowser(async (open) => {
      const first = await open("index.html", "desktop");
      let asked = [];
      scene.snap = (path, headers) => {
        if (path !== "/v1/packs") return undefined;
        asked.push(headers.range);
        return asked.length === 1 ? 3000 : 0;
      };
      await first.click("#pack-update");
      await first.waitForFunction(() => /连接中断/.test(document.getElementById("pack-bytes").textContent));
      await shoot(first, "verifier-download");
      await first.click("#pack-update");
      await first.waitForFunction(() => /已停止/.test(document.getElementById("pack-text").textContent));
      await first.close();
      asked = [];
      scene.snap = (path, headers) => void (path === "/v1/packs" && asked.push(headers.range));
      const page = await open("index.html", "desktop");
      await updatePack(page, /的状态$/);
      scene.snap = undefined;
      assert.deepEqual(asked, ["bytes=3000-", undefined], "the rest, then what has changed since");
    }),
    "types and regions of the pack are chosen, by keyboard, and remembered": () => inBrowser(async (open) => {
      const page = await open("index.html", "phone");
      const queries = [];
      page.on("request", (request) => queries.push(new URL(request.url())));
      const packs = () => queries.filter(({ pathname }) => pathname === "/v1/packs").map(({ searchParams }) => [searchParams.get("types"), searchParams.get("regions")]);
      const others = [[1, "339901"], [2, "319900"]].map(([certificate_type, division]) =>
        ({ certificate_type, name: "", division, books: 1, lines: 1, exceptions: 0, bytes: 2_400_000 }));
      scene.rewrite = (path, bytes) => {
        if (path !== "/v1/packs/index") return bytes;
        const index = JSON.parse(bytes);
        return Buffer.from(JSON.stringify({ ...index, books: [...index.books, ...others] }));
      };
      try {
        await page.focus("#pack-choose");
        await page.keyboard.press("Enter");
        await page.waitForSelector("#subscription[open]");
        assert.match(await page.$eval("#subscription-sum", (sum) => sum.textContent), /4\.8 MB/);
        await page.focus("#subscription-all");
        await page.keyboard.press("ArrowDown");
        // The last two of three types are left out; both regions stay.
        for (const value of [1, 2]) {
          await page.focus(`#subscription-types [value="${value}"]`);
          await page.keyboard.press("Space");
        }
        assert.match(await page.$eval("#subscription-sum", (sum) => sum.textContent), /约 1 kB/);
        await shoot(page, "verifier-subscription");
        await page.focus("#subscription-save");
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => document.getElementById("pack").dataset.updated === "1");
        assert.match(await page.$eval("#pack-text", (text) => text.textContent), /的状态 · 1 类$/);
        assert.deepEqual(packs(), [["0", null]]);
        await page.reload();
        await ready(page);
        await updatePack(page, /的状态 · 1 类$/);
        assert.deepEqual(packs().at(-1), ["0", null]);
        await page.click("#pack-choose");
        await page.waitForSelector("#subscription[open]");
        const checked = await page.$$eval("#subscription-types input", (boxes) => boxes.map((box) => box.checked));
        assert.deepEqual(checked, [true, false, false]);
        await page.click("#subscription-types [value='0']");
        assert.equal(await page.$eval("#subscription-save", (save) => save.disabled), true, "nothing is no choice");
      } finally {
        scene.rewrite = undefined;
      }
    }),
    "who asks first takes the answer to this question and no other": () => inBrowser(async (open) => {
      const verifier = await open("index.html", "phone");
      await settings(verifier);
      const question = await fengni("challenge", "make", "--home", member, "--purpose", PURPOSE, "--text");
      const other = await fengni("challenge", "make", "--home", member, "--purpose", "102", "--text");
      await verifier.click("#ask-first");
      await verifier.waitForSelector("#challenge[open]");
      await fill(verifier, "#challenge-text", other);
      await verifier.click("#challenge-form .primary");
      await verifier.waitForSelector("#challenge-problem:not([hidden])");
      await shoot(verifier, "verifier-challenge-other");
      await fill(verifier, "#challenge-text", question);
      await verifier.click("#challenge-form .primary");
      await verifier.waitForSelector("#question[open] svg");
      await shoot(verifier, "verifier-challenge");
      await verifier.keyboard.press("Escape");
      await paste(verifier, await code(), "HOLDER_PROOF_INVALID");
      await verifier.click("#again");
      await verifier.waitForSelector("#asking:not([hidden])");
      await shoot(verifier, "verifier-asking");

      const holder = await open("holder.html", "phone");
      await openWallet(holder);
      await holder.click("#asked summary");
      // One letter of the signature is another.
      const at = question.length - 5;
      const forged = question.slice(0, at) + (question[at] === "0" ? "1" : "0") + question.slice(at + 1);
      await fill(holder, "#asked-text", forged);
      await holder.click("#asked-read");
      await holder.waitForSelector("#asked-problem:not([hidden])");
      await fill(holder, "#asked-text", question);
      await holder.click("#asked-read");
      await holder.waitForSelector("#asker:not([hidden])");
      assert.match(await holder.$eval("#asker", (asker) => asker.innerText), /公安厅.*\n.*交通执法/s);
      await shoot(holder, "holder-asked");
      await holder.click("#show");
      await holder.waitForSelector("#shown:not([hidden]) svg");
      await shoot(holder, "holder-answer");
      const answer = await holder.$eval("#text", (area) => area.value);
      await verifier.bringToFront();
      await paste(verifier, answer, "VALID");
      assert.match(await verifier.$eval("#answer .checks", (checks) => checks.textContent), /应答了本次核验/);
      assert.equal(await verifier.$eval("#asking", (asking) => asking.hidden), true, "each holder is asked anew");
    }),
    "in English and large type, nothing is wider than the narrowest phone": () => inBrowser(async (open) => {
      for (const path of ["index.html", "holder.html", "register.html", "mine.html"]) {
        const page = await open(path, "phone");
        await page.click("#language");
        assert.equal(await page.$eval("html", (html) => html.lang), "en");
        await page.setViewport({ width: 320, height: 640, deviceScaleFactor: 2 });
        await page.click("#care");
        await fits(page, `${path} in English`);
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
      await fengni("standing", "suspend", scene.identifier, "--reason", "201", "--decision", join(home, "genesis.toml"), "--home", member);
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
