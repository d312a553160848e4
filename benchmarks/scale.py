# SPDX-License-Identifier: Apache-2.0
"""How far off the scale of depth up to scale is, and what finding it costs: the tables of docs/scale.md.

`python -m benchmarks.scale [--model MODEL] [--count N]`. Held-out scenes of 256x192, with the true camera; a metric
model's depth is divided by its own 98th percentile first.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable

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
REPEATS = 20


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


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="depth_pro_nano", help="registered name or path (%(default)s)")
    parser.add_argument("--count", type=int, default=64, help="held-out scenes (%(default)s)")
    arguments = parser.parse_args()
    estimator, gates = load_estimator(arguments.model, device="cpu"), Gates()
    errors: dict[str, list[float]] = {}
    times: dict[str, list[float]] = {}
    for first in range(0, arguments.count, RENDERED_AT_ONCE):
        seeds = range(first, min(first + RENDERED_AT_ONCE, arguments.count))
        scenes = render_scenes(seeds, height=HEIGHT_PX, width=WIDTH_PX)
        for index, depth_m in enumerate(scenes.known_depth_m):
            fx, (cx, cy) = float(scenes.focal_px[index]), scenes.principal_px[index].tolist()
            intrinsics = Intrinsics(WIDTH_PX, HEIGHT_PX, fx, fx, cx, cy)
            ground = GroundSettings(
                float(scenes.camera_height_m[index]),
                pitch_deg=math.degrees(scenes.pitch_rad[index]),
                roll_deg=math.degrees(scenes.roll_rad[index]),
            )
            points = row_points(depth_m, intrinsics, HEIGHT_PX // 2)
            for name, relative in (
                (estimator.info.name, relative_of(estimator, scenes.rgb[index], fx)),
                ("true depth", (depth_m / far_depth(depth_m)).clamp(max=1)),
            ):
                ways: dict[str, Callable[[Tensor], ScaleEstimate]] = {
                    "ground": lambda r, i=intrinsics, g=ground: scale_from_ground(r, i, g, gates),
                    "scan of one row": lambda r, i=intrinsics, p=points: scale_from_ranges(r, i, p, gates),
                    "reference, true depth": lambda r, d=depth_m: scale_from_reference(r, d, gates),
                }
                for way, find in ways.items():
                    key = f"| {name} | {way} |"
                    errors.setdefault(key, [])
                    began = time.perf_counter()
                    try:
                        errors[key].append(abs(find(relative).scale / true_scale(relative, depth_m) - 1))
                    except NoScale:
                        continue
                    times.setdefault(way, []).append((time.perf_counter() - began) * 1e3)
    print(f"{machine()}; {torch.get_num_threads()} threads")
    print("| depth | source | images with a scale | median | 75 % | 90 % |\n|---|---|---|---|---|---|")
    for key, values in errors.items():
        found = [value for value in values if math.isfinite(value)]
        shown = " | ".join(f"{np.percentile(found, p):.3f}" for p in (50, 75, 90)) if found else "- | - | -"
        print(f"{key} {len(found)} of {arguments.count} | {shown} |")
    spent = (f"{way} {statistics.median(values):.1f} ms" for way, values in times.items())
    print(f"Median time of one image of {WIDTH_PX}x{HEIGHT_PX}: {', '.join(spent)}")


if __name__ == "__main__":
    main()
