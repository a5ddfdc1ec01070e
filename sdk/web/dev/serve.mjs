// Serves the built pages on loopback and passes /v1 on to a gateway, as a node does that serves
// both. For trying things out and for the browser test; a node in use serves the pages itself.
//
//   node dev/serve.mjs --site FOLDER --gateway http://127.0.0.1:PORT [--port 8460] [--checkpoint FILE]

import { createServer, request } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";
import { parseArgs } from "node:util";

const POLICY = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'", "img-src 'self' data: blob:",
  "manifest-src 'self'", "worker-src 'self'", "media-src 'self' blob:", "base-uri 'none'", "form-action 'none'",
  "frame-ancestors 'none'", "connect-src 'self'",
].join("; ");

/** The page that asks providers' gateways, wherever these are. */
const policyOf = (name) => (name === "mine.html" ? `${POLICY} https: http://127.0.0.1:* http://localhost:*` : POLICY);

const BREAK_MILLIS = 200;

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".wasm": "application/wasm",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

/**
 * Starts a server. Without `site`, the gateway serves the pages as well.
 *
 * `cut` drops every call; `rewrite(path, bytes)` may change what the gateway answers; `snap(path,
 * headers)` gives the number of bytes after which an answer breaks off, if it does.
 */
export async function serve({ site, gateway, port = 0, checkpoint, cut = () => false, rewrite = (_, bytes) => bytes, snap = () => undefined }) {
  const server = createServer(async (incoming, answer) => {
    const { pathname } = new URL(incoming.url, "http://localhost");
    if (pathname.startsWith("/v1/") || (!site && pathname.startsWith("/web/"))) {
      if (cut()) return void incoming.socket.destroy();
      return void pass(incoming, answer, gateway, (bytes) => rewrite(pathname, bytes), snap(pathname, incoming.headers));
    }
    if (pathname === "/") return void answer.writeHead(302, { location: "/web/" }).end();
    if (!pathname.startsWith("/web/")) return void answer.writeHead(404).end();
    if (cut()) return void incoming.socket.destroy();
    await file(answer, site, decodeURIComponent(pathname.slice("/web/".length)) || "index.html", checkpoint);
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/web/`, close: () => server.close() };
}

async function file(answer, site, name, checkpoint) {
  const path = normalize(join(site, name));
  if (!path.startsWith(normalize(site + sep))) return void answer.writeHead(404).end();
  try {
    const bytes = await readFile(name === "checkpoint.json" && checkpoint ? checkpoint : path);
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    answer.writeHead(200, {
      "content-type": type,
      "content-security-policy": policyOf(name),
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-cache",
    });
    answer.end(bytes);
  } catch {
    answer.writeHead(404).end();
  }
}

function pass(incoming, answer, gateway, rewrite, breaksAt) {
  const { host, ...headers } = incoming.headers;
  const onward = request(new URL(incoming.url, gateway), { method: incoming.method, headers });
  onward.on("response", async (given) => {
    const pieces = [];
    for await (const piece of given) pieces.push(piece);
    const bytes = rewrite(Buffer.concat(pieces));
    answer.writeHead(given.statusCode, { ...given.headers, "content-length": bytes.length });
    if (breaksAt === undefined) return void answer.end(bytes);
    // What was written first gets through before the connection ends.
    answer.write(bytes.subarray(0, breaksAt));
    setTimeout(() => answer.destroy(), BREAK_MILLIS);
  });
  onward.on("error", () => answer.destroy());
  incoming.pipe(onward);
}

if (import.meta.url === new URL(process.argv[1], "file:").href) {
  const { values } = parseArgs({
    options: {
      site: { type: "string" }, gateway: { type: "string" }, port: { type: "string", default: "8460" },
      checkpoint: { type: "string" },
    },
  });
  const { url } = await serve({ ...values, port: Number(values.port) });
  console.log(url);
}
