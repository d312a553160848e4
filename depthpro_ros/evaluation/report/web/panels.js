// SPDX-License-Identifier: Apache-2.0
"use strict";
// Photograph, truth, prediction and error of a frame, side by side; all are read where the mouse is.

const turbo = bytesOf(data.turbo);
const FULL_ERROR = 0.25;
const UNKNOWN_COLOUR = [0, 0, 0, 0];

/** Share 0 (far) to 1 (near) as a colour. */
const turboAt = (share) => {
  const k = 3 * Math.round(255 * Math.min(1, Math.max(0, share)));
  return [turbo[k], turbo[k + 1], turbo[k + 2], 255];
};

/** Blue (too near) over white to red (too far). */
const errorAt = (error) => {
  const share = Math.min(1, Math.abs(error) / FULL_ERROR);
  const end = error > 0 ? [190, 20, 30] : [20, 70, 190];
  return [...end.map((c) => Math.round(250 + share * (c - 250))), 255];
};

/** Limits of 1 / depth for the colours: 2 % and 98 % of the truth's, or of the prediction's without truth. */
function limitsOf(picture, factor) {
  const inverse = (depths, by) => Array.from(depths, (d) => 1 / (d * by)).filter((x) => x > 0 && x < Infinity);
  let values = picture.truth ? inverse(picture.truth, 1) : [];
  if (values.length < 30) values = inverse(picture.predicted, factor);
  if (!values.length) return [0, 1];
  values.sort((a, b) => a - b);
  const at = (share) => values[Math.round(share * (values.length - 1))];
  return [at(0.02), Math.max(at(0.98), at(0.02) * 1.01)];
}

function paint(canvas, width, height, colourOf) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (let k = 0; k < width * height; k++) image.data.set(colourOf(k), 4 * k);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const depthText = (d, unit) => (Number.isNaN(d) ? "none" : d === Infinity ? "infinite" : `${d.toPrecision(d < 1 ? 3 : 4)}${unit}`);
const metresText = (d) => depthText(d, " m");
/** What a picture's prediction is in: without a truth to be aligned to, depth up to scale stays so. */
const inMetres = (picture) => data.metric || Boolean(picture.truth);

/** What the pixel under the mouse says. */
function readingOf(picture, u, v, factor) {
  const k = v * picture.width + u;
  const predicted = picture.predicted[k] * factor;
  const where = `(${framePixel(picture, u)}, ${framePixel(picture, v)}) px`;
  const unit = inMetres(picture) ? " m" : " (up to scale)";
  if (!picture.truth) return { predicted, text: `${where}: predicted ${depthText(predicted, unit)}` };
  const truth = picture.truth[k];
  const error = predicted - truth;
  let text = `${where}: predicted ${metresText(predicted)}, truth ${metresText(truth)}`;
  if (Number.isFinite(error)) {
    const sign = error < 0 ? "−" : "+";
    text += `, error ${sign}${Math.abs(error).toPrecision(3)} m (${sign}${Math.abs((100 * error) / truth).toFixed(1)} %)`;
  }
  return { predicted, truth, error, text };
}

const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

class Panels {
  constructor(parent, inRow) {
    this.box = parent.appendChild(element("div", inRow ? "panels row" : "panels"));
    this.panels = {};
    this.at = null;
    for (const kind of ["photo", "truth", "predicted", "error"]) this.panels[kind] = this.panel(kind);
    this.reading = this.box.appendChild(element("div", "reading"));
    this.box.addEventListener("mouseleave", () => this.leave());
  }

  panel(kind) {
    const figure = this.box.appendChild(element("figure"));
    const picture = figure.appendChild(element("div", "picture"));
    const canvas = picture.appendChild(element("canvas", kind));
    const cross = picture.appendChild(element("div", "cross"));
    const caption = figure.appendChild(element("figcaption"));
    canvas.addEventListener("mousemove", (event) => this.read(event, canvas));
    return { figure, canvas, cross, caption };
  }

  show(picture, factor) {
    if (this.picture && (this.picture.width !== picture.width || this.picture.height !== picture.height)) this.leave();
    this.picture = picture;
    this.factor = factor;
    this.say();
    const { width, height, photo, truth, predicted } = picture;
    const { panels } = this;
    panels.photo.canvas.width = width;
    panels.photo.canvas.height = height;
    panels.photo.canvas.getContext("2d").putImageData(photo, 0, 0);
    panels.photo.caption.textContent = "image";
    const [low, high] = limitsOf(picture, factor);
    const depthColour = (d) => (Number.isNaN(d) || d <= 0 ? UNKNOWN_COLOUR : turboAt((1 / d - low) / (high - low)));
    paint(panels.predicted.canvas, width, height, (k) => depthColour(predicted[k] * factor));
    const rounded = (inverse) => `${Number((1 / inverse).toPrecision(2))} m`;
    this.scale(panels.predicted.caption, "prediction", rounded(high), rounded(low), (share) => turboAt(1 - share));
    for (const kind of ["truth", "error"]) panels[kind].figure.style.display = truth ? "" : "none";
    if (!truth) return;
    paint(panels.truth.canvas, width, height, (k) => depthColour(truth[k]));
    panels.truth.caption.textContent = "truth";
    const errors = Float32Array.from(truth, (d, k) => (predicted[k] * factor) / d - 1);
    paint(panels.error.canvas, width, height, (k) => (Number.isFinite(errors[k]) ? errorAt(errors[k]) : UNKNOWN_COLOUR));
    this.scale(panels.error.caption, "error", "−25 %", "+25 %", (share) => errorAt(FULL_ERROR * (2 * share - 1)));
  }

  scale(caption, name, left, right, colourOf) {
    const bar = element("canvas", "scale");
    paint(bar, 72, 1, (k) => colourOf(k / 71));
    const legend = element("span");
    legend.append(left, bar, right);
    caption.replaceChildren(element("span", "", name), legend);
  }

  read(event, canvas) {
    if (!this.picture) return;
    const { width, height } = this.picture;
    const area = canvas.getBoundingClientRect();
    const pixel = (at, length, count) => Math.min(count - 1, Math.max(0, Math.floor((at / length) * count)));
    const u = pixel(event.clientX - area.left, area.width, width);
    const v = pixel(event.clientY - area.top, area.height, height);
    this.at = [u, v];
    this.say();
    for (const { cross } of Object.values(this.panels)) {
      cross.style.display = "block";
      cross.style.left = `${(100 * (u + 0.5)) / width}%`;
      cross.style.top = `${(100 * (v + 0.5)) / height}%`;
    }
  }

  /** What the pixel under the mouse says, also when another frame comes under it. */
  say() {
    this.reading.textContent = this.at ? readingOf(this.picture, ...this.at, this.factor).text : "";
  }

  leave() {
    this.at = null;
    this.say();
    for (const { cross } of Object.values(this.panels)) cross.style.display = "none";
  }
}
