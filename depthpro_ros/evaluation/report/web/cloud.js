// SPDX-License-Identifier: Apache-2.0
"use strict";
// The points of a picture in 3D, in the camera's frame: x to the right, z forward; up is -y.

// What is farther than this is left out, or the sky and a window at a kilometre would make the rest a dot.
const FARTHEST_SHARE = 0.98;
const BULK_SHARE = 0.85;
const FARTHEST_MEDIANS = 5;
const FARTHEST_TRUTHS = 4;
const MARGIN = 1.25;
const TRUTH_COLOUR = "#2fa36b";

/** How far depths reach, metres, but for a few that are much farther than the rest; 0 of too few. */
function reachOf(depths, factor, share) {
  const known = Array.from(depths || [], (d) => d * factor).filter((d) => d > 0 && d < Infinity).sort((a, b) => a - b);
  if (known.length < 30) return 0;
  const at = (part) => known[Math.floor(part * (known.length - 1))];
  return MARGIN * Math.min(at(share), FARTHEST_MEDIANS * at(0.5));
}

/** How far the view goes, metres: both surfaces are to be seen, unless the prediction is out of all proportion. */
function farthestOf(picture, factor) {
  const truth = reachOf(picture.truth, 1, FARTHEST_SHARE);
  if (!truth) return reachOf(picture.predicted, factor, FARTHEST_SHARE);
  return Math.max(truth, Math.min(reachOf(picture.predicted, factor, BULK_SHARE), FARTHEST_TRUTHS * truth));
}

function pointsOf(picture, depths, factor, farthest) {
  const { step } = picture;
  const points = { right: [], forward: [], up: [], colours: [] };
  for (let v = 0, k = 0; v < picture.height; v++) {
    for (let u = 0; u < picture.width; u++, k++) {
      const d = depths[k] * factor;
      if (!(d > 0 && d <= farthest)) continue;
      points.right.push((d * (framePixel(picture, u) / step - picture.cx)) / picture.fx);
      points.forward.push(d);
      points.up.push((-d * (framePixel(picture, v) / step - picture.cy)) / picture.fy);
      const [r, g, b] = picture.photo.data.subarray(4 * k, 4 * k + 3);
      points.colours.push(`rgb(${r},${g},${b})`);
    }
  }
  return points;
}

const hasWebgl = () => Boolean(document.createElement("canvas").getContext("webgl"));

function cloudTrace(name, points, colour, visible) {
  return {
    type: "scatter3d", mode: "markers", name, visible,
    x: points.right, y: points.forward, z: points.up,
    marker: { size: 2.2, color: colour, line: { width: 0 } },
    hovertemplate: "%{y:.3f} m forward<br>%{x:.3f} m right<br>%{z:.3f} m up<extra></extra>",
  };
}

/** Draw the cloud of a picture; what the user turned and hid stays so. */
function drawCloud(picture, factor) {
  const box = document.getElementById("cloud");
  if (!hasWebgl()) {
    box.textContent = "This browser has no WebGL, which the 3D view needs.";
    return Promise.resolve();
  }
  const why = !inMetres(picture) ? "Depth up to scale has no points in metres." : picture.fx > 0 ? "" : "The camera of this frame is not known, which points need.";
  if (why) {
    if (box.data) Plotly.purge(box);
    box.textContent = why;
    document.getElementById("farthest").textContent = "";
    return Promise.resolve();
  }
  if (!box.data) box.textContent = "";
  const farthest = farthestOf(picture, factor);
  document.getElementById("farthest").textContent = `up to ${Number(farthest.toPrecision(2))} m`;
  const predicted = pointsOf(picture, picture.predicted, factor, farthest);
  const shown = (k, usual) => (box.data && box.data[k] ? box.data[k].visible : usual);
  const traces = [cloudTrace("prediction", predicted, predicted.colours, shown(0, true))];
  if (picture.truth) {
    traces.push(cloudTrace("truth", pointsOf(picture, picture.truth, 1, farthest), TRUTH_COLOUR, shown(1, "legendonly")));
  }
  const axis = (title) => ({ title: { text: title }, ...axisColours(), showspikes: false });
  const layout = {
    ...paper(), margin: { l: 0, r: 0, t: 0, b: 0 }, uirevision: "kept", showlegend: true,
    legend: { x: 0, y: 1, itemsizing: "constant", bgcolor: "rgba(0,0,0,0)" },
    scene: {
      xaxis: axis("right [m]"), yaxis: axis("forward [m]"), zaxis: axis("up [m]"), aspectmode: "data",
      dragmode: "orbit", uirevision: "kept",
      camera: { eye: { x: 0.1, y: -1.55, z: 0.5 }, center: { x: 0, y: 0, z: -0.1 } },
    },
  };
  return Plotly.react(box, traces, layout, CONFIG);
}
