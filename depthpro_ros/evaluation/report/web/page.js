// SPDX-License-Identifier: Apache-2.0
"use strict";
// What happens when: drawing in turn, the shown frame, sorting.

const at = (id) => document.getElementById(id);
const slider = at("slider");
const scaledBox = at("scaled");
let panels = null;
let shownRow = null;

const captionOf = (row) => `${data.series.id[row]} (frame ${data.series.index[row]}, ${data.series.scene[row]})`;

function figuresText(row) {
  const parts = Object.keys(data.series.figures).flatMap((name) => {
    const value = figureOf(name, row);
    return value === null ? [] : [`${data.titles[name].title} ${Number(value.toPrecision(3))}${data.titles[name].unit ? " " + data.titles[name].unit : ""}`];
  });
  return parts.join(" · ");
}

/** The pictured row that is nearest to a row. */
const nearestPictured = (row) =>
  data.pictured.reduce((best, other) => (Math.abs(other - row) < Math.abs(best - row) ? other : best), data.pictured[0]);

async function showRow(row) {
  shownRow = row;
  at("frame-name").textContent = captionOf(row);
  at("frame-figures").textContent = figuresText(row);
  markInSeries(row);
  const picture = await pictureOf(row);
  if (shownRow !== row) return; // another was asked for meanwhile
  const reason = data.series.skipped[row];
  for (const id of ["panels", "cloud"]) if (at(id)) at(id).style.visibility = picture ? "" : "hidden";
  at("frame-missing").textContent = "";
  if (!picture) {
    at("frame-missing").textContent = reason === null
      ? "No picture of this frame was kept. " : `This frame was skipped: ${data.series.reasons[reason]}. `;
    if (data.pictured.length) {
      const other = nearestPictured(row);
      const button = at("frame-missing").appendChild(element("button", "", `show frame ${data.series.index[other]}`));
      button.addEventListener("click", () => showRow(other));
    }
    return;
  }
  slider.value = data.pictured.indexOf(row);
  const factor = factorOf(row, scaledBox.checked);
  panels.show(picture, factor);
  cloud.show(picture, factor);
}

/** Draws the cloud of the last picture while it can be seen: WebGL takes its time. */
const cloud = {
  visible: false,
  next: null,
  show(picture, factor) {
    this.next = [picture, factor];
    return this.visible ? this.draw() : null;
  },
  async draw() {
    if (!this.next) return;
    const [picture, factor] = this.next;
    this.next = null;
    await drawCloud(picture, factor);
  },
  watch() {
    const watcher = new IntersectionObserver((entries) => {
      this.visible = entries[entries.length - 1].isIntersecting;
      if (this.visible) this.draw();
    });
    watcher.observe(at("cloud"));
  },
};

function step(by) {
  const place = Math.min(data.pictured.length - 1, Math.max(0, Number(slider.value) + by));
  return showRow(data.pictured[place]);
}

function prepareViewer() {
  if (!data.pictured.length) {
    for (const id of ["slider", "before", "after", "panels", "scaled-label", "cloud", "cloud-help", "gallery"]) at(id).remove();
    return;
  }
  panels = new Panels(at("panels"), false);
  slider.max = data.pictured.length - 1;
  scaledBox.checked = data.scaled;
  if (!data.series.figures.frame_scale) at("scaled-label").remove();
  let waiting = 0;
  slider.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => step(0), 60);
  });
  at("before").addEventListener("click", () => step(-1));
  at("after").addEventListener("click", () => step(1));
  scaledBox.addEventListener("change", () => {
    showRow(shownRow);
    for (const draw of galleryDraws) draw();
  });
}

const galleryDraws = [];

function prepareGallery() {
  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      target.draw();
    }
  }, { rootMargin: "600px" });
  for (const { title, rows } of data.gallery) {
    at("groups").appendChild(element("h3", "", title));
    for (const row of rows) {
      const box = at("groups").appendChild(element("div", "framed"));
      box.appendChild(element("h4", "", captionOf(row)));
      box.appendChild(element("p", "small", figuresText(row)));
      let own = null;
      box.draw = async () => {
        own ??= new Panels(box, true);
        own.show(await pictureOf(row), factorOf(row, scaledBox.checked));
      };
      galleryDraws.push(() => own && box.draw());
      box.addEventListener("click", () => {
        at("viewer").scrollIntoView({ behavior: calm() ? "auto" : "smooth", block: "nearest" });
        showRow(row);
      });
      watcher.observe(box);
    }
  }
}

function sortBy(table, column) {
  const head = table.tHead.rows[0].cells;
  const falls = head[column].getAttribute("aria-sort") === "ascending";
  for (const cell of head) cell.removeAttribute("aria-sort");
  head[column].setAttribute("aria-sort", falls ? "descending" : "ascending");
  const key = (row) => row.cells[column].textContent;
  const isWord = head[column].className === "w";
  const order = (a, b) => {
    if (isWord) return key(a).localeCompare(key(b), undefined, { numeric: true });
    const [x, y] = [parseFloat(key(a)), parseFloat(key(b))];
    return Number.isNaN(x) - Number.isNaN(y) || x - y;
  };
  const rows = [...table.tBodies[0].rows].sort((a, b) => (falls ? order(b, a) : order(a, b)));
  table.tBodies[0].append(...rows);
}

function prepareTables() {
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((cell, column) => cell.addEventListener("click", () => sortBy(table, column)));
  }
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const aMoment = () => new Promise((done) => setTimeout(done, 0));

/** Everything in turn, what is first seen first; the page can be used in between. */
async function drawAll() {
  await drawSeries(showRow);
  if (shownRow !== null) markInSeries(shownRow);
  document.documentElement.dataset.usable = String(Math.round(performance.now()));
  const jobs = [drawResources];
  if (data.profiles) {
    jobs.push(
      () => drawProfile("by-range", data.profiles.range, "true depth [m]", { type: "category", tickangle: 0, tickfont: { size: 10 } }),
      () => drawProfile("by-row", data.profiles.row, "rows, 0 % is the top", { ticksuffix: " %", range: [0, 100] }),
      () => drawProfile("by-radius", data.profiles.radius, "0 % is the middle, 100 % a corner", { ticksuffix: " %", range: [0, 100] }),
      drawHistogram);
  }
  if (data.curves.length) jobs.push(drawCurves);
  if (!data.profiles && !data.curves.length) at("where").remove();
  for (const job of jobs) {
    await aMoment();
    await job();
  }
}

prepareTables();
/** Run the library that draws charts: as text until then, so that words and pictures need not wait for it. */
function loadLibrary() {
  const script = document.createElement("script");
  script.textContent = at("library").textContent;
  document.head.appendChild(script);
}

addEventListener("load", async () => {
  prepareViewer();
  prepareGallery();
  if (data.first !== null) await showRow(data.first);
  document.documentElement.dataset.readable = String(Math.round(performance.now()));
  await aMoment();
  loadLibrary();
  await aMoment();
  await drawAll();
  if (panels) cloud.watch();
  document.documentElement.dataset.drawn = String(Math.round(performance.now()));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (document.documentElement.dataset.drawn) drawAll();
});
