// From a picture to the text of its QR code: by the platform's detector, else by zxing, from here.

/** @returns a function from anything that can be drawn to a text, or null. */
export async function decoder() {
  return (await platform()) ?? (await zxing());
}

async function platform() {
  if (!("BarcodeDetector" in globalThis)) return null;
  try {
    const formats = await BarcodeDetector.getSupportedFormats();
    if (!formats.includes("qr_code")) return null;
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (image) => first(await detector.detect(image).catch(() => []), "rawValue");
  } catch {
    return null;
  }
}

async function zxing() {
  const { prepareZXingModule, readBarcodes } = await import("../vendor/zxing/reader/index.js");
  // Without this, the library would fetch its module from a public server.
  const locateFile = (name) => new URL(`../vendor/zxing/${name}`, import.meta.url).href;
  await prepareZXingModule({ overrides: { locateFile }, fireImmediately: true });
  const options = { formats: ["QRCode"], tryHarder: true, tryInvert: true, maxNumberOfSymbols: 4 };
  return async (image) => first((await readBarcodes(image, options)).filter((found) => found.isValid), "text");
}

/** The text that begins as a code or a challenge does, else the first at all. */
function first(found, name) {
  const texts = found.map((one) => one[name]).filter(Boolean);
  return texts.find((text) => /^F[NC]1:/.test(text)) ?? texts[0] ?? null;
}
