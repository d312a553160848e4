// SPDX-License-Identifier: Apache-2.0
"use strict";
// Charts, in the colours of the page.

const COLOURS = ["#3b82d0", "#e07b39", "#3f9e5a", "#b0529f", "#8a6d3b", "#5b6ee1"];
const CONFIG = { responsive: true, displayModeBar: false };
const MARKERS_UP_TO = 200; // frames; beyond, a point has a mark only where no line reaches it

const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const axisColours = () => ({ gridcolor: variable("--line"), zerolinecolor: variable("--line"), linecolor: variable("--line") });
const paper = () => ({
  paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
  font: { color: variable("--text"), family: getComputedStyle(document.body).fontFamily, size: 12 },
});
const axisOf = (title, more) => ({ title: { text: title, standoff: 6 }, ...axisColours(), automargin: true, ...more });
/** Text that Plotly is to show as it is: it reads some tags. */
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

const ROWS = [
  { title: () => data.titles[data.headline].title, names: () => [data.headline], zero: true },
  { title: () => "scale that the frame lacks", names: () => ["frame_scale"] },
  { title: () => "estimated / true focal length", names: () => ["focal_ratio"] },
  { title: () => "time [ms]", names: () => ["latency_ms", "frame_ms", "model_ms"], zero: true },
  { title: () => "flicker", names: () => ["flicker"], zero: true },
  { title: () => "boundaries", names: () => ["boundary_f1", "boundary_recall"], zero: true },
];

const isNone = (value) => value === null || value === undefined;
const lonely = (y) => y.map((value, k) => (isNone(y[k - 1]) && isNone(y[k + 1]) ? value : null));

const seriesX = () => data.series.time_s ?? data.series.index;
const rowsOfSeries = () =>
  ROWS.map((row) => ({ ...row, names: row.names().filter((name) => name in data.series.figures) })).filter(
    (row) => row.names.length);

/** All series above each other on one time axis; below them, which frames were skipped. */
function drawSeries(onClick) {
  const { series } = data;
  const rows = rowsOfSeries();
  const x = seriesX();
  const mode = x.length <= MARKERS_UP_TO ? "lines+markers" : "lines";
  const names = series.id.map((id, row) => `${plain(id)}, ${plain(series.scene[row])}`);
  const layout = {
    ...paper(), height: 70 + 128 * rows.length, margin: { l: 58, r: 12, t: 20, b: 44 }, hovermode: "closest",
    showlegend: false, annotations: [], shapes: [],
    xaxis: axisOf(series.time_s ? "time [s]" : "frame", { anchor: "free", position: 0, domain: [0, 1] }),
  };
  const traces = [];
  let colour = 0;
  const skipped = series.skipped.flatMap((reason, row) => (reason === null ? [] : [row]));
  const foot = skipped.length ? 0.05 : 0;
  const gap = 0.2 / Math.max(1, rows.length); // between two charts, for the title of the lower one
  const high = (1 - foot) / Math.max(1, rows.length);
  rows.forEach((row, k) => {
    const end = k ? String(k + 1) : "";
    const top = 1 - k * high;
    layout["yaxis" + end] = axisOf("", { domain: [top - high + gap, top], rangemode: row.zero ? "tozero" : "normal", nticks: 5 });
    const coloured = (name, j) => `<span style="color:${COLOURS[(colour + j) % COLOURS.length]}">${plain(data.titles[name].title)}</span>`;
    const title = row.names.length > 1 ? `${plain(row.title())}: ${row.names.map(coloured).join(", ")}` : plain(row.title());
    layout.annotations.push({ text: title, x: 0, y: top, xref: "paper", yref: "paper",
      xanchor: "left", yanchor: "bottom", showarrow: false, font: { size: 12, color: variable("--soft") } });
    for (const name of row.names) {
      const trace = {
        type: "scatter", mode, x, y: series.figures[name], yaxis: "y" + end, name: data.titles[name].title, customdata: names,
        line: { width: 1.3, color: COLOURS[colour % COLOURS.length] }, marker: { size: 4 },
        hovertemplate: `%{customdata}<br>${plain(data.titles[name].title)} %{y:.4~g} ${data.titles[name].unit}<extra></extra>`,
      };
      traces.push(trace);
      const alone = mode === "lines" ? lonely(trace.y) : [];
      if (alone.some((value) => value !== null)) {
        traces.push({ ...trace, mode: "markers", y: alone, marker: { size: 4, color: trace.line.color } });
      }
      colour += 1;
    }
  });
  if (skipped.length) {
    const end = String(rows.length + 1);
    layout["yaxis" + end] = axisOf("", { domain: [0, foot - 0.02], visible: false, range: [-1, 1], fixedrange: true });
    traces.push({
      type: "scatter", mode: "markers", x: skipped.map((row) => x[row]), y: skipped.map(() => 0), yaxis: "y" + end,
      customdata: skipped.map((row) => `${names[row]}<br>${plain(series.reasons[series.skipped[row]])}`), name: "skipped",
      marker: { symbol: "x", size: 8, color: variable("--bad") }, hovertemplate: "%{customdata}<extra></extra>",
    });
    layout.annotations.push({ text: "skipped", x: 0, y: (foot - 0.02) / 2, xref: "paper", yref: "paper", xanchor: "right",
      yanchor: "middle", xshift: -6, showarrow: false, font: { size: 12, color: variable("--bad") } });
  }
  const box = document.getElementById("series");
  return Plotly.newPlot(box, traces, layout, CONFIG).then(() => {
    box.on("plotly_click", ({ points: [point] }) => {
      const row = point.data.name === "skipped" ? skipped[point.pointIndex] : point.pointIndex;
      onClick(row);
    });
  });
}

/** A line where the shown frame is. */
function markInSeries(row) {
  const box = document.getElementById("series");
  if (!box.data) return; // not drawn yet
  const x = seriesX()[row];
  Plotly.relayout(box, { shapes: [{ type: "line", xref: "x", yref: "paper", x0: x, x1: x, y0: 0, y1: 1,
    line: { color: variable("--accent"), width: 1.5, dash: "dot" } }] });
}

function drawResources() {
  const box = document.getElementById("resources");
  if (!data.resources) return box.remove();
  const { time_s: x, cpu_percent: cpu, memory_mb: memory } = data.resources;
  const line = (y, name, axis, colour) => ({ type: "scatter", mode: "lines", x, y, name, yaxis: axis, line: { width: 1.5, color: colour } });
  return Plotly.newPlot(box,
    [line(cpu, "CPU [% of a core]", "y", COLOURS[1]), line(memory, "memory [MB]", "y2", COLOURS[5])],
    { ...paper(), height: 220, margin: { l: 58, r: 58, t: 8, b: 44 }, hovermode: "x unified", showlegend: true,
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
      xaxis: axisOf("time since the first image was sent [s]"),
      yaxis: axisOf("CPU [%]", { rangemode: "tozero" }),
      yaxis2: axisOf("memory [MB]", { overlaying: "y", side: "right", tickmode: "auto", rangemode: "tozero", showgrid: false }) }, CONFIG);
}

function drawProfile(id, bins, title, more) {
  const x = bins.labels;
  const line = (name, colour, extra) => ({ type: "scatter", mode: "lines+markers", name, x, y: bins[name],
    line: { color: colour, width: 2 }, hovertemplate: "%{y:.3f}", ...extra });
  return Plotly.newPlot(id, [
    { type: "scatter", mode: "lines", name: "pixels", x, y: bins.pixels, yaxis: "y3", fill: "tozeroy", fillcolor: variable("--none"),
      line: { shape: "hvh", width: 0, color: variable("--none") }, opacity: 0.6, hovertemplate: "%{y:,d}", showlegend: false },
    line("abs_rel", COLOURS[0]),
    line("bias", COLOURS[1]),
    line("delta1", COLOURS[2], { yaxis: "y2", line: { color: COLOURS[2], width: 1.5, dash: "dot" } }),
  ], {
    ...paper(), height: 320, margin: { l: 50, r: 44, t: 6, b: 44 }, hovermode: "x unified",
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
    xaxis: axisOf(title, { anchor: "y3", ...more }),
    yaxis: axisOf("abs_rel, bias", { domain: [0.24, 1], zeroline: true, zerolinecolor: variable("--soft") }),
    yaxis2: axisOf("delta1", { overlaying: "y", side: "right", tickmode: "auto", range: [0, 1.02], showgrid: false }),
    yaxis3: axisOf("", { domain: [0, 0.18], rangemode: "tozero", showticklabels: false, showgrid: false }),
  }, CONFIG);
}

function drawHistogram() {
  const { edges_m: edges, cells, pixels } = data.profiles.histogram;
  const middle = (k) => Math.sqrt(edges[k] * edges[k + 1]);
  const powers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const total = pixels.reduce((a, b) => a + b, 0);
  const ends = [edges[0], edges[edges.length - 1]];
  const size = 480;
  const axis = (title) => axisOf(title, { type: "log", range: ends.map(Math.log10), fixedrange: true, dtick: 1 });
  return Plotly.newPlot("histogram", [
    { type: "scatter", mode: "markers", x: cells.map(([row]) => middle(row)), y: cells.map(([, column]) => middle(column)),
      customdata: pixels.map((count) => [count, (100 * count) / total]),
      marker: { symbol: "square", size: size / (edges.length - 1) + 0.3, line: { width: 0 }, opacity: 1,
        color: pixels.map(Math.log10), colorscale: "Viridis", colorbar: { title: { text: "pixels", side: "right" }, thickness: 12, tickvals: powers, ticktext: powers.map((k) => (10 ** k).toLocaleString("en")) } },
      hovertemplate: "truth %{x:.3g} m, predicted %{y:.3g} m<br>%{customdata[0]:,d} pixels (%{customdata[1]:.2f} %)<extra></extra>" },
    { type: "scatter", mode: "lines", x: ends, y: ends, line: { color: variable("--text"), width: 1, dash: "dash" }, hoverinfo: "skip" },
  ], { ...paper(), width: size + 150, height: size + 60, margin: { l: 60, r: 90, t: 10, b: 50, autoexpand: false }, showlegend: false, hovermode: "closest",
    xaxis: { ...axis("ground truth [m]"), automargin: false }, yaxis: { ...axis(data.metric ? "prediction [m]" : "prediction, aligned to the truth [m]"), automargin: false } }, { ...CONFIG, responsive: false });
}

function drawCurves() {
  return Plotly.newPlot("curves", data.curves.map(({ title, x, y }, k) => ({
    type: "scatter", mode: "lines", name: title, x, y, line: { shape: "hv", width: 2, color: COLOURS[k % COLOURS.length] },
    hovertemplate: "%{y:.1%} of frames have at most %{x:.3f}<extra>" + plain(title) + "</extra>",
  })), { ...paper(), height: 420, margin: { l: 56, r: 12, t: 10, b: 50 }, hovermode: "closest", showlegend: data.curves.length > 1,
    legend: { x: 1, xanchor: "right", y: 0.05, bgcolor: "rgba(0,0,0,0)" },
    xaxis: axisOf("abs_rel of the frame", { rangemode: "tozero" }), yaxis: axisOf("share of frames", { range: [0, 1.02], tickformat: ".0%" }) }, CONFIG);
}
