// A film for the browser's fake camera: a phone with a code on its screen, a little out of true.

import { writeFile } from "node:fs/promises";

const [WIDTH, HEIGHT] = [1280, 720];
const FRAMES = 4;
const TABLE = 96;
const SCREEN = 235;

/** Writes a picture as YUV4MPEG2, scaled to `side` pixels, moving a pixel a frame, with noise. */
export async function film(path, picture, side = 560) {
  const pieces = [Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`)];
  const noise = noises(7);
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const luma = Buffer.alloc(WIDTH * HEIGHT, TABLE);
    const [left, top] = [((WIDTH - side) >> 1) + frame, ((HEIGHT - side) >> 1) - frame];
    for (let y = 0; y < HEIGHT; y += 1) {
      for (let x = 0; x < WIDTH; x += 1) {
        const grey = sample(picture, (x - left) / side, (y - top) / side);
        luma[y * WIDTH + x] = Math.max(0, Math.min(255, grey + (noise() % 17) - 8));
      }
    }
    pieces.push(Buffer.from("FRAME\n"), luma, Buffer.alloc((WIDTH * HEIGHT) >> 1, 128));
  }
  await writeFile(path, Buffer.concat(pieces));
}

/** A pixel of the picture at a place from 0 to 1, or what lies around it. */
function sample({ width, height, grey }, x, y) {
  if (x < -0.04 || y < -0.04 || x > 1.04 || y > 1.04) return TABLE;
  if (x < 0 || y < 0 || x >= 1 || y >= 1) return SCREEN;
  const value = grey[Math.floor(y * height) * width + Math.floor(x * width)];
  return 24 + Math.round((value * (SCREEN - 24)) / 255);
}

/** The same noise every time. */
function noises(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
}
