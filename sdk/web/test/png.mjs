// Reads a PNG as grey values: just what `fengni show --png` writes, without a library.

import { inflateSync } from "node:zlib";

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Width, height and one grey byte a pixel. */
export function readPng(bytes) {
  const pieces = [];
  let head;
  let palette;
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const kind = bytes.toString("latin1", at + 4, at + 8);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") head = { width: data.readUInt32BE(0), height: data.readUInt32BE(4), depth: data[8], colour: data[9] };
    if (kind === "PLTE") palette = data;
    if (kind === "IDAT") pieces.push(data);
    at += length + 12;
  }
  const { width, height, depth, colour } = head;
  const channels = CHANNELS[colour];
  const step = Math.max(1, (channels * depth) >> 3);
  const stride = Math.ceil((width * channels * depth) / 8);
  const rows = unfilter(inflateSync(Buffer.concat(pieces)), height, stride, step);
  const grey = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      grey[y * width + x] = value(rows, y * stride, x, depth, channels, colour, palette);
    }
  }
  return { width, height, grey };
}

function value(rows, row, x, depth, channels, colour, palette) {
  if (depth === 8) {
    const at = row + x * channels;
    if (colour === 3) return palette[rows[at] * 3];
    return rows[at];
  }
  const bit = x * depth;
  const raw = (rows[row + (bit >> 3)] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
  return colour === 3 ? palette[raw * 3] : Math.round((raw * 255) / ((1 << depth) - 1));
}

/** Undoes the five filters of the format. */
function unfilter(raw, height, stride, step) {
  const rows = Buffer.alloc(height * stride);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x += 1) {
      const at = y * stride + x;
      const left = x >= step ? rows[at - step] : 0;
      const up = y > 0 ? rows[at - stride] : 0;
      const corner = x >= step && y > 0 ? rows[at - stride - step] : 0;
      rows[at] = (raw[y * (stride + 1) + 1 + x] + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]) & 0xff;
    }
  }
  return rows;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [toLeft, toUp, toCorner] = [left, up, corner].map((one) => Math.abs(guess - one));
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
