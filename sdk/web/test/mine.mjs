// The holder's own page: who used what, each use with its proof, and a withdrawal. The network has a grant of
// three uses, one use by it, one that was refused, and an objection to the certificate.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";

import { shoot } from "./person.mjs";
import { inBrowser, scene } from "./scene.mjs";

const folder = process.env.FENGNI_MINE;

export function stories() {
  return {
    "a holder sees who used what, each use with its proof": () => inBrowser(async (open) => {
      const page = await look(open, 2);
      const [refused, used] = await texts(page, ".use");
      assert.match(used, /住房.*\n[^]*参保月数[^]*YS20260309000317[^]*核验一致[^]*双方[^]*已上链/);
      assert.match(refused, /YS20260309000318[^]*已拒绝：办件不符[^]*已上链/);
      assert.equal((await page.$$(".use .mark[data-proven=yes]")).length, 2);
      const [grant] = await texts(page, "#grants .card");
      assert.match(grant, /已核对[^]*有效[^]*参保月数[^]*已用 1 \/ 3 次/);
      const [certificate] = await texts(page, "#certificates .card");
      assert.match(certificate, /已核对[^]*有效[^]*DISPUTED[^]*异议 0（[^]*受理，答复期限 \d{4}-\d\d-\d\d/);
      await shoot(page, "mine");
    }),
    "a lying gateway shows nothing that is not proven": () => inBrowser(async (open) => {
      const lies = {
        "a receipt changed": (held) => { held.receipt.receipt.case = "YS20269999999999"; },
        "a path changed": (held) => { held.path.first += 1; },
        "another line": (held) => { held.place.line += 1; },
        "a book that is not there": (held) => { held.place.book = 99; },
        "somebody unknown": (held) => { held.receipt.receipt.requester = 99; },
      };
      for (const [lie, change] of Object.entries(lies)) {
        scene.provider.rewrite = altered("/v1/mine", ({ receipts }) => change(receipts[0]));
        const page = await look(open, 2);
        const [wrong] = await texts(page, ".use[data-standing=none]");
        assert.match(wrong, /未证明[^]*不成立/, lie);
        assert.doesNotMatch(wrong, /YS2026|参保月数/, lie);
        assert.equal((await page.$$(".use[data-standing=anchored]")).length, 1, lie);
        if (lie === "a receipt changed") await shoot(page, "mine-lied");
        await page.close();
      }
      scene.provider.rewrite = undefined;
    }),
    "a use that one side signed, one whose way is kept back, one that is withheld": () => inBrowser(async (open) => {
      scene.provider.rewrite = altered("/v1/mine", ({ receipts }) => { receipts[0].receipt.requester = null; });
      const one = await look(open, 2);
      assert.match((await texts(one, ".use[data-sides=provider]"))[0], /单方/);
      await one.close();
      // The ledger counts it: the leaves that the provider publishes tell where it stands.
      const hide = altered("/v1/mine", ({ receipts }) => Object.assign(receipts[0], { path: null, place: null }));
      scene.provider.rewrite = hide;
      const hidden = await look(open, 2);
      assert.equal((await hidden.$$(".use[data-standing=anchored]")).length, 2);
      await hidden.close();
      const other = altered("/v1/batches/0", (batch) => { batch.leaves[1] = "00".repeat(32); });
      scene.provider.rewrite = (path, bytes) => other(path, hide(path, bytes));
      const withheld = await look(open, 2);
      assert.match((await texts(withheld, ".use[data-standing=withheld]"))[0], /被扣留/);
      await shoot(withheld, "mine-withheld");
      await withheld.close();
      const malformed = altered("/v1/batches/0", (batch) => { batch.leaves = "none"; });
      scene.provider.rewrite = (path, bytes) => malformed(path, hide(path, bytes));
      const none = await look(open, 2);
      assert.match((await texts(none, ".use[data-standing=withheld]"))[0], /被扣留/);
      await none.close();
      // Who answers badly has not yet kept anything back.
      scene.provider.rewrite = (path, bytes) => broken("/v1/batches/0")(path, hide(path, bytes));
      const unshown = await look(open, 2);
      assert.match((await texts(unshown, ".use[data-standing=counted]"))[0], /没有出示/);
      scene.provider.rewrite = undefined;
    }),
    "an address out of a link is asked only once the holder confirms it": () => inBrowser(async (open) => {
      const { member, origin } = scene.provider;
      const stranger = `${member}=https://stranger.example`;
      const both = [`${member}=${origin}\r\n${stranger}`, `${member}=http://plain.example`].map(encodeURIComponent);
      const page = await choose(open, `mine.html?provider=${both.join("&provider=")}`);
      const named = () => page.$eval("#providers", ({ value }) => value);
      assert.equal(await named(), `${member}=${origin}`);
      assert.match((await texts(page, "#offered"))[0], /stranger\.example[^]*plain\.example/);
      await page.click("#offered-yes");
      assert.match(await named(), /stranger\.example/);
      await page.click("#ask");
      await page.waitForSelector("#problem:not([hidden])");
      assert.match((await texts(page, "#problem"))[0], /https[^]*plain\.example/);
    }),
    "no uses are said to be none only where every provider answered": () => inBrowser(async (open) => {
      scene.provider.rewrite = broken("/v1/mine");
      const page = await look(open, 0);
      await page.waitForSelector("#uses .problem");
      assert.doesNotMatch((await texts(page, "#uses"))[0], /没有使用记录/);
      scene.provider.rewrite = undefined;
    }),
    "a grant is withdrawn in one step, and the ledger says so": () => inBrowser(async (open) => {
      const page = await look(open, 2);
      await page.click("#grants .card button");
      await page.waitForSelector("#withdrawal[open]");
      await page.keyboard.press("Escape");
      assert.equal(await page.$eval("#grants .card", (card) => card.dataset.standing), "active");
      await page.click("#grants .card button");
      await page.waitForSelector("#withdrawal[open]");
      await shoot(page, "mine-withdraw");
      await page.click("#withdrawal-yes");
      await page.waitForSelector("#grants .card[data-standing=withdrawn] .mark[data-proven=yes]", { timeout: 30_000 });
      assert.equal(await page.$("#grants .card button"), null);
    }),
  };
}

/** The page with the holder's files, once it has shown so many uses. */
async function look(open, uses) {
  const { member, origin } = scene.provider;
  const page = await choose(open, `mine.html?provider=${member}=${origin}`);
  await page.click("#ask");
  await page.waitForFunction((count) => document.querySelectorAll(".use").length === count, {}, uses);
  return page;
}

/** The page with the holder's files. */
async function choose(open, address) {
  const page = await open(address, "phone");
  const names = readdirSync(folder).filter((name) => /\.(certificate|key)$|mine\.json$/.test(name));
  await (await page.$("#files")).uploadFile(...names.map((name) => join(folder, name)));
  await page.waitForSelector("#ask-form:not([hidden])");
  await page.waitForSelector("#ask:not([disabled])");
  return page;
}

const texts = (page, selector) => page.$$eval(selector, (found) => found.map((one) => one.innerText));

/** Makes no JSON of an answer of a path. */
const broken = (wanted) => (path, bytes) => (path === wanted && bytes.length > 0 ? Buffer.from("busy") : bytes);

/** Changes a JSON answer of a path. */
function altered(wanted, change) {
  return (path, bytes) => {
    if (path !== wanted || bytes.length === 0) return bytes;
    const answer = JSON.parse(bytes);
    change(answer);
    return Buffer.from(JSON.stringify(answer));
  };
}
