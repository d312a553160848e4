# SPDX-License-Identifier: Apache-2.0
"""How far off the scale of depth up to scale is, and what finding it costs: the tables of docs/scale.md.

`python -m benchmarks.scale [--model MODEL] [--count N]`. Held-out scenes of 256x192, with the true camera; a metric
model's depth is divided by its own 98th percentile first.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from depthpro_ros.camera import Intrinsics
from depthpro_ros.evaluation.held_out import HEIGHT_PX, RENDERED_AT_ONCE, WIDTH_PX
from depthpro_ros.frame_scale import far_depth
from depthpro_ros.machine import machine
from depthpro_ros.models import Estimator, load_estimator
from depthpro_ros.scale import (
    Gates,
    GroundSettings,
    NoScale,
    RangePoints,
    ScaleEstimate,
    scale_from_ground,
    scale_from_ranges,
    scale_from_reference,
)
from depthpro_ros.scenes import render_scenes

FARTHEST_M = 80.0
REPEATS, TIMED_SCENES = 10, 8


def relative_of(estimator: Estimator, rgb: Tensor, focal_px: float) -> Tensor:
    """What a model says of an image, up to scale."""
    prediction = estimator.predict(rgb.numpy(), focal_px)
    if prediction.relative_depth is not None:
        return prediction.relative_depth
    return (prediction.metres / far_depth(prediction.metres)).clamp(max=1)


def row_points(depth_m: Tensor, intrinsics: Intrinsics, row: int) -> RangePoints:
    """The points of one row, as a scanner in the camera's place would measure them."""
    z = depth_m[row].numpy().astype(np.float64)
    u = np.arange(len(z))
    keep = np.isfinite(z) & (z > 0) & (z < FARTHEST_M)
    x, y = (u - intrinsics.cx) / intrinsics.fx * z, (row - intrinsics.cy) / intrinsics.fy * z
    return RangePoints(np.stack([x, y, z], axis=1)[keep].astype(np.float32), 0.0)


def true_scale(relative: Tensor, depth_m: Tensor) -> float:
    """Median of true over relative depth where both are usable; NaN where they never are."""
    known = depth_m.isfinite() & (depth_m > 0) & (depth_m < FARTHEST_M) & (relative > 0.02)
    return float((depth_m[known] / relative[known]).median()) if bool(known.any()) else math.nan


@dataclass(frozen=True)
class View:
    """One scene: its image, its true depth, and the ways to a scale for it."""

    rgb: Tensor
    depth_m: Tensor
    fx_px: float
    ways: dict[str, Callable[[Tensor], ScaleEstimate]]


def views(seeds: range, height: int, width: int) -> Iterator[View]:
    """Render scenes, with what each source is given."""
    gates = Gates()
    for first in range(seeds.start, seeds.stop, RENDERED_AT_ONCE):
        scenes = render_scenes(range(first, min(first + RENDERED_AT_ONCE, seeds.stop)), height=height, width=width)
        for index, depth_m in enumerate(scenes.known_depth_m):
            fx, (cx, cy) = float(scenes.focal_px[index]), scenes.principal_px[index].tolist()
            camera = Intrinsics(width, height, fx, fx, cx, cy)
            ground = GroundSettings(
                float(scenes.camera_height_m[index]),
                pitch_deg=math.degrees(scenes.pitch_rad[index]),
                roll_deg=math.degrees(scenes.roll_rad[index]),
            )
            points = row_points(depth_m, camera, height // 2)
            ways: dict[str, Callable[[Tensor], ScaleEstimate]] = {
                "ground": partial(scale_from_ground, intrinsics=camera, settings=ground, gates=gates),
                "scan of one row": partial(scale_from_ranges, intrinsics=camera, points=points, gates=gates),
                "reference, true depth": partial(scale_from_reference, reference_m=depth_m, gates=gates),
            }
            yield View(scenes.rgb[index], depth_m, fx, ways)


def errors_of(estimator: Estimator, count: int) -> dict[tuple[str, str], list[float]]:
    """Relative error of the scale, by depth and source, of the scenes that give one."""
    errors: dict[tuple[str, str], list[float]] = {}
    for view in views(range(count), HEIGHT_PX, WIDTH_PX):
        depths = {
            estimator.info.name: relative_of(estimator, view.rgb, view.fx_px),
            "true depth": (view.depth_m / far_depth(view.depth_m)).clamp(max=1),
        }
        for name, relative in depths.items():
            for way, find in view.ways.items():
                values = errors.setdefault((name, way), [])
                with contextlib.suppress(NoScale):
                    values.append(abs(find(relative).scale / true_scale(relative, view.depth_m) - 1))
    return errors


def times_ms() -> dict[str, float]:
    """Median time of each source on images of 640x480."""
    times: dict[str, list[float]] = {}
    for view in views(range(TIMED_SCENES), 480, 640):
        relative = (view.depth_m / far_depth(view.depth_m)).clamp(max=1)
        for way, find in view.ways.items():
            for _ in range(REPEATS):
                began = time.perf_counter()
                with contextlib.suppress(NoScale):
                    find(relative)
                times.setdefault(way, []).append((time.perf_counter() - began) * 1e3)
    return {way: statistics.median(values) for way, values in times.items()}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="depth_pro_nano", help="registered name or path (%(default)s)")
    parser.add_argument("--count", type=int, default=64, help="held-out scenes (%(default)s)")
    arguments = parser.parse_args()
    print(f"{machine()}; {torch.get_num_threads()} threads")
    print("| depth | source | images with a scale | median | 75 % | 90 % |\n|---|---|---|---|---|---|")
    for (name, way), values in errors_of(load_estimator(arguments.model, device="cpu"), arguments.count).items():
        found = [value for value in values if math.isfinite(value)]
        shown = " | ".join(f"{np.percentile(found, p):.3f}" for p in (50, 75, 90)) if found else "- | - | -"
        print(f"| {name} | {way} | {len(found)} of {arguments.count} | {shown} |")
    print("640x480, median: " + ", ".join(f"{way} {value:.1f} ms" for way, value in times_ms().items()))


if __name__ == "__main__":
    main()
