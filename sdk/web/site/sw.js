// Keeps the pages on the device, so that they open without a network. Never an answer of the ledger:
// those are judged by their age, and a cache has no business with them.

const CACHE = "fengni-shell-4";
const SHELL = [
  "index.html", "register.html", "holder.html", "mine.html", "manifest.webmanifest", "icon.svg",
  "style/base.css", "style/verifier.css", "style/register.css", "style/holder.css", "style/mine.css",
  "js/answering.js", "js/asking.js", "js/certificateview.js", "js/challenges.js", "js/decoder.js", "js/dom.js", "js/download.js", "js/files.js", "js/frame.js", "js/gateway.js", "js/grantview.js", "js/holder.js", "js/identifier.js", "js/language.js", "js/mark.js",
  "js/mine.js", "js/minewords.js", "js/names.js", "js/pagegrid.js",
  "js/packline.js", "js/packs.js", "js/places.js", "js/provider.js", "js/register.js", "js/scan.js", "js/settings.js", "js/speech.js", "js/store.js", "js/subscription.js", "js/symbol.js", "js/trust.js", "js/uses.js", "js/useview.js",
  "js/verdict.js", "js/verifier.js", "js/words.js",
  "fengni/base45.js", "fengni/challenge.js", "fengni/index.js", "fengni/load.js", "fengni/reading.js", "fengni/records.js", "fengni/core.js", "fengni/core_bg.wasm",
  "fengni/register.js", "fengni/register_core.js", "fengni/register_core_bg.wasm",
  "fengni/wallet.js", "fengni/wallet_core.js", "fengni/wallet_core_bg.wasm",
  "vendor/zxing/reader/index.js", "vendor/zxing/share.js", "vendor/zxing/zxing_reader.wasm",
];

self.addEventListener("install", (event) => {
  const fresh = (path) => new Request(path, { cache: "reload" });
  const fill = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(SHELL.map(fresh));
    // The deployer adds it; a page without one says so itself.
    await cache.add(fresh("checkpoint.json")).catch(() => undefined);
  };
  event.waitUntil(fill());
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("fengni-shell-") && name !== CACHE);
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});

const scope = new URL(self.registration.scope).pathname;

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin || !pathname.startsWith(scope)) return;
  event.respondWith(newest(event.request));
});

/** The network's file where there is a network, so that a repaired verifier is used at once. */
async function newest(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const page = new URL(request.url);
    const kept = await cache.match(page.pathname.endsWith("/") ? new URL("index.html", page) : request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
