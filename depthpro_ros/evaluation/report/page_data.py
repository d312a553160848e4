# SPDX-License-Identifier: Apache-2.0
"""The numbers that the page's script draws, as JSON that may stand in HTML."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from depthpro_ros.evaluation.report.columns import Columns
from depthpro_ros.evaluation.report.pictures import Choice
from depthpro_ros.evaluation.report.sections import headline_alignment
from depthpro_ros.evaluation.results.figures import aligned, figure
from depthpro_ros.evaluation.results.profiles import HISTOGRAM_EDGES_M, RADII, RANGE_EDGES_M, Binned, row_centres
from depthpro_ros.evaluation.results.summary import Summary
from depthpro_ros.evaluation.results.thumbnail import INFINITE, NEAREST_M, STEP, UNKNOWN

MOST_POINTS = 20_000
"""Of a time series; beyond, every second, third ... frame is drawn."""
CURVE_POINTS = 400
DIGITS = 6
COLUMNS = ("flicker", "frame_scale", "focal_ratio", "boundary_f1", "boundary_recall", "model_ms", "frame_ms")


def page_data(summary: Summary, columns: Columns, choice: Choice) -> dict[str, Any]:
    """Everything that is drawn; NaN is None."""
    alignment = headline_alignment(summary)
    names = _series_names(summary, alignment)
    every = max(1, math.ceil(len(columns) / MOST_POINTS))
    places = sorted({*range(0, len(columns), every), *choice.places})
    row = {place: k for k, place in enumerate(places)}
    reasons = list(dict.fromkeys(reason for reason in columns.skipped if reason))
    times = _times(columns)
    return {
        "headline": aligned("abs_rel", alignment),
        "metric": summary.metric,
        "scaled": "none" not in summary.run.settings.alignments and "frame_scale" in summary.figures,
        "series": {
            "every": every,
            "index": [columns.index[k] for k in places],
            "id": [columns.id[k] for k in places],
            "scene": [columns.scene[k] for k in places],
            "time_s": None if times is None else numbers(times[places]),
            "skipped": [reasons.index(columns.skipped[k]) if columns.skipped[k] else None for k in places],
            "reasons": reasons,
            "figures": {name: numbers(columns.figure(name)[places]) for name in names},
        },
        "titles": {name: {"title": figure(name).title, "unit": figure(name).unit} for name in names},
        "profiles": _profiles(summary),
        "curves": _curves(summary, columns),
        "resources": _resources(summary),
        "gallery": [{"title": group.title, "rows": [row[k] for k in group.places]} for group in choice.gallery],
        "pictured": [row[k] for k in choice.places],
        "first": None if choice.first is None else row[choice.first],
        "turbo": base64.b64encode(turbo()).decode("ascii"),
        "code": {"step": STEP, "nearest_m": NEAREST_M, "unknown": UNKNOWN, "infinite": INFINITE},
    }


def embedded(value: object) -> str:
    """JSON that ends no script element, whatever its strings hold."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def numbers(values: Iterable[float]) -> list[float | None]:
    """With as many digits as a plot needs; None for NaN and infinite."""
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values]


def turbo() -> bytes:
    """The colour map turbo, 256 RGB triples."""
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    colours: bytes = cv2.applyColorMap(ramp, cv2.COLORMAP_TURBO)[:, 0, ::-1].tobytes()
    return colours


def _series_names(summary: Summary, alignment: str) -> list[str]:
    scores = [aligned(name, alignment) for name in ("abs_rel", "delta1", "rmse", "bias")]
    others = [aligned("abs_rel", mode) for mode in summary.run.settings.alignments]
    wanted = dict.fromkeys([*scores, *others, *COLUMNS, "latency_ms"])
    return [name for name in wanted if name in summary.figures]


def _times(columns: Columns) -> np.ndarray[Any, Any] | None:
    """Seconds from the first stamp; None where frames have no stamps, or they do not rise (several recordings)."""
    stamps = columns.stamp_ns
    known = [stamp for stamp in stamps if stamp is not None]
    if not known or len(known) < len(stamps) or any(b < a for a, b in pairwise(known)):
        return None
    return np.array([(stamp - known[0]) / 1e9 for stamp in known])


def _profiles(summary: Summary) -> dict[str, Any] | None:
    profiles = summary.profiles
    if profiles is None:
        return None
    cells = np.argwhere(profiles.histogram > 0)
    ranges = [f"{a:g}–{b:g}" for a, b in pairwise(RANGE_EDGES_M[:-1])]
    return {
        "range": {"labels": [*ranges, f"> {RANGE_EDGES_M[-2]:g}"], **_binned(profiles.by_range)},
        "row": {"labels": [100 * middle for middle in row_centres()], **_binned(profiles.by_row)},
        "radius": {"labels": [100 * (k + 0.5) / RADII for k in range(RADII)], **_binned(profiles.by_radius)},
        "histogram": {
            "edges_m": numbers(HISTOGRAM_EDGES_M),
            "cells": cells.tolist(),
            "pixels": [int(profiles.histogram[v, u]) for v, u in cells],
        },
    }


def _binned(bins: Binned) -> dict[str, Any]:
    return {
        "abs_rel": numbers(bins.abs_rel),
        "bias": numbers(bins.bias),
        "delta1": numbers(bins.delta1),
        "pixels": numbers(bins.pixels),
    }


def _curves(summary: Summary, columns: Columns) -> list[dict[str, Any]]:
    """Share of frames with at most each error, by alignment."""
    curves = []
    for mode in summary.run.settings.alignments:
        values = columns.figure(aligned("abs_rel", mode))
        values = np.sort(values[np.isfinite(values)])
        if len(values):
            at: Sequence[int] = np.unique(np.linspace(0, len(values) - 1, CURVE_POINTS).round().astype(int)).tolist()
            shares = [(k + 1) / len(values) for k in at]
            curves.append({"title": mode.replace("_", " "), "x": numbers(values[list(at)]), "y": numbers(shares)})
    return curves


def _resources(summary: Summary) -> dict[str, Any] | None:
    if summary.live is None or not summary.live.resources:
        return None
    samples = summary.live.resources
    return {
        "time_s": numbers(sample.time_s for sample in samples),
        "cpu_percent": numbers(sample.cpu_percent for sample in samples),
        "memory_mb": numbers(sample.memory_mb for sample in samples),
    }
