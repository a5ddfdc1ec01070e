// Base45 (RFC 9285), the letters of a QR symbol's alphanumeric mode.

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

export function encode(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    const pair = at + 1 < bytes.length;
    let value = pair ? bytes[at] * 256 + bytes[at + 1] : bytes[at];
    for (let digits = pair ? 3 : 2; digits > 0; digits -= 1) {
      text += LETTERS[value % 45];
      value = Math.floor(value / 45);
    }
  }
  return text;
}

/** Throws where a text is not the one of its bytes. */
export function decode(text) {
  const bytes = [];
  for (let at = 0; at < text.length; at += 3) {
    const digits = [...text.slice(at, at + 3)].map((letter) => LETTERS.indexOf(letter));
    const value = digits.reduceRight((sum, digit) => sum * 45 + digit, 0);
    if (digits.length === 3) bytes.push((value >> 8) & 0xff);
    bytes.push(value & 0xff);
  }
  if (encode(bytes) !== text) throw new Error("the text is not base45");
  return Uint8Array.from(bytes);
}
