// Scanning: a camera that looks until it finds a code, and pictures.

import { decoder } from "./decoder.js";

/** The longer side of what is decoded: a code of version 20 needs some 300 pixels. */
const SIDE = 1280;
const PAUSE_MILLIS = 120;

let decode;
const ready = () => (decode ??= decoder());

const canvas = document.createElement("canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });

/** What is seen, at most `SIDE` pixels a side. */
function pixels(source, width, height) {
  const scale = Math.min(1, SIDE / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** The text of the code in a picture, or null. */
export async function readPicture(blob) {
  const read = await ready();
  const bitmap = await createImageBitmap(blob);
  try {
    return await read(pixels(bitmap, bitmap.width, bitmap.height));
  } finally {
    bitmap.close();
  }
}

/** A camera. */
export class Camera {
  #stream = null;
  #running = false;

  constructor(video) {
    this.video = video;
  }

  get running() {
    return this.#running;
  }

  /** Looks until there is a code; null where it was stopped before. Throws where there is no camera. */
  async find() {
    this.#running = true;
    try {
      const camera = { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } };
      const [stream, read] = await Promise.all([navigator.mediaDevices.getUserMedia({ video: camera, audio: false }), ready()]);
      this.#stream = stream;
      if (!this.#running) return null;
      this.video.srcObject = stream;
      await this.video.play();
      while (this.#running) {
        const { videoWidth: width, videoHeight: height } = this.video;
        const text = width > 0 ? await read(pixels(this.video, width, height)).catch(() => null) : null;
        if (text && this.#running) return text;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS));
      }
      return null;
    } finally {
      this.stop();
    }
  }

  stop() {
    this.#running = false;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.video.srcObject = null;
  }
}
