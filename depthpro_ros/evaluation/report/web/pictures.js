// SPDX-License-Identifier: Apache-2.0
"use strict";
// Pictures of frames: unpacked when they are shown, a few kept.

const data = JSON.parse(document.getElementById("data").textContent);
const MOST_UNPACKED = 40;
const unpacked = new Map();

const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

const metresOf = (code) => {
  const { step, nearest_m: nearest, unknown, infinite } = data.code;
  if (code === unknown) return NaN;
  return code === infinite ? Infinity : nearest * Math.exp(step * (code - 1));
};

/** Undo `pack` of pictures.py: depth in metres, row by row; NaN is unknown. */
async function depthsOf(base64, width, height) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = width * height;
  const codes = new Uint16Array(count);
  const depths = new Float32Array(count);
  for (let v = 0, k = 0; v < height; v++) {
    let along = 0;
    for (let u = 0; u < width; u++, k++) {
      const folded = bytes[k] | (bytes[count + k] << 8);
      along += (folded >>> 1) ^ -(folded & 1);
      codes[k] = along + (v ? codes[k - width] : 0);
      depths[k] = metresOf(codes[k]);
    }
  }
  return depths;
}

async function colouredOf(base64, width, height) {
  const image = new Image();
  image.src = "data:image/jpeg;base64," + base64;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

async function unpack(text) {
  const words = text.split(" ");
  const [width, height, fx, fy, cx, cy, step] = words.slice(0, 7).map(Number);
  const [jpeg, predicted, truth] = words.slice(7);
  return {
    width, height, fx, fy, cx, cy, step,
    photo: await colouredOf(jpeg, width, height),
    predicted: await depthsOf(predicted, width, height),
    truth: truth === "-" ? null : await depthsOf(truth, width, height),
  };
}

/** The picture of a row of the series; null where none is in the page. */
function pictureOf(row) {
  const index = data.series.index[row];
  const element = document.getElementById("picture-" + index);
  if (!element) return Promise.resolve(null);
  if (!unpacked.has(index)) {
    if (unpacked.size >= MOST_UNPACKED) unpacked.delete(unpacked.keys().next().value);
    unpacked.set(index, unpack(element.textContent));
  }
  return unpacked.get(index);
}

/** To the nearest whole number, halves to the even one: how NumPy chose the frame's pixels. */
const rint = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
/** The frame's pixel, along either axis, that a pixel of the picture shows. */
const framePixel = (picture, at) => rint(at * picture.step);

const figureOf = (name, row) => {
  const values = data.series.figures[name];
  return values ? values[row] : null;
};

/** What the prediction is multiplied by where it is shown. */
const factorOf = (row, scaled) => (scaled ? figureOf("frame_scale", row) ?? 1 : 1);
