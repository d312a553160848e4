# SPDX-License-Identifier: Apache-2.0
"""Score models on held-out procedural scenes and real sets, beside predictors that look at no pixel.

`python -m depthpro_ros.evaluation.held_out [--model MODEL ...]` prints the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from depthpro_ros.evaluation.comparison import Comparison, Result, Row
from depthpro_ros.evaluation.focal import score_focals
from depthpro_ros.evaluation.held_out_page import Run, page, table
from depthpro_ros.evaluation.real_sets import KINECT_VARIABLE, KinectDining, real_sets
from depthpro_ros.evaluation.trivial import TrivialPredictors
from depthpro_ros.frames import FrameSet, RgbdFrame
from depthpro_ros.models import Estimator, load_estimator
from depthpro_ros.scenes import render_scenes

HEIGHT_PX, WIDTH_PX = 192, 256
HELD_OUT_SEEDS = range(256)
FITTING_SEEDS = range(1_000_000, 1_000_256)
"""Training scenes from which the trivial predictors take their averages."""
FITTING_HEIGHT_PX, FITTING_WIDTH_PX = 48, 64
"""An average over scenes has no detail that more pixels would show."""
RENDERED_AT_ONCE = 32
PREDICTED_AT_ONCE = 4


@dataclass(frozen=True)
class Scored:
    """One image.

    Attributes:
        rows: the model's scores, then the trivial predictors'.
        estimated_px, trivial_px, true_px: focal lengths: the model's own, that of the median field of view, the truth.
    """

    rows: tuple[Row, ...]
    estimated_px: float
    trivial_px: float
    true_px: float


def evaluate(
    estimator: Estimator,
    seeds: range = HELD_OUT_SEEDS,
    sets: Sequence[FrameSet] = (),
    trivial: TrivialPredictors | None = None,
) -> Result:
    """Render the scenes and score everything on them, and on the real sets.

    Args:
        estimator: must be able to estimate focal lengths.
        seeds: of the scenes.
        sets: real sets, by `real_sets()`.
        trivial: to spare fitting them again.
    """
    trivial = trivial or fit_trivial()
    scored: list[Scored] = []
    kinds: list[str] = []
    for frames, names in held_out_frames(seeds):
        kinds += names
        for first in range(0, len(frames), PREDICTED_AT_ONCE):
            scored += score(estimator, trivial, frames[first : first + PREDICTED_AT_ONCE])
    true_px = [image.true_px for image in scored]
    return Result(
        model=estimator.info.name,
        scenes=_compare("held-out scenes", scored),
        kinds=tuple(
            _compare(kind, [image for image, its in zip(scored, kinds, strict=True) if its == kind])
            for kind in sorted(set(kinds))
        ),
        real=tuple(
            _compare(frames.name, [s for k in range(len(frames)) for s in score(estimator, trivial, [frames.frame(k)])])
            for frames in sets
        ),
        focal=score_focals([image.estimated_px for image in scored], true_px),
        trivial_focal=score_focals([image.trivial_px for image in scored], true_px),
    )


def fit_trivial(seeds: range = FITTING_SEEDS) -> TrivialPredictors:
    """The averages of training scenes."""
    scenes = render_scenes(seeds, height=FITTING_HEIGHT_PX, width=FITTING_WIDTH_PX)
    return TrivialPredictors.fit(scenes.known_depth_m, scenes.camera_height_m, scenes.fov_deg)


def held_out_frames(seeds: range) -> Iterator[tuple[list[RgbdFrame], tuple[str, ...]]]:
    """Scenes and their kinds, some at a time, all of one size."""
    for first in range(0, len(seeds), RENDERED_AT_ONCE):
        scenes = render_scenes(seeds[first : first + RENDERED_AT_ONCE], height=HEIGHT_PX, width=WIDTH_PX)
        images = zip(scenes.rgb.numpy(), scenes.known_depth_m.numpy(), scenes.focal_px.tolist(), strict=True)
        yield [RgbdFrame(rgb, depth, focal) for rgb, depth, focal in images], scenes.kind


def score(estimator: Estimator, trivial: TrivialPredictors, frames: Sequence[RgbdFrame]) -> list[Scored]:
    """Score frames of one size."""
    height, width = frames[0].depth_m.shape
    prediction = estimator.predict(np.stack([frame.rgb for frame in frames]))
    estimated = prediction.focal_px.tolist()
    scored = []
    for frame, depth_m, focal_px in zip(frames, prediction.metres.cpu().numpy(), estimated, strict=True):
        # depth is proportional to the focal length that it was made with: no second run with the true one
        row = Row.of(estimator.info.name, depth_m * (frame.fx_px / focal_px), frame.depth_m)
        maps = trivial.predict(frame.fx_px, height, width)
        others = [Row.of(name, predicted_m, frame.depth_m) for name, predicted_m in maps.items()]
        scored.append(Scored((row, *others), focal_px, trivial.focal_px(width), frame.fx_px))
    return scored


def _compare(name: str, scored: Sequence[Scored]) -> Comparison:
    return Comparison.of(name, [image.rows for image in scored])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", action="append", help="registered name or path; several are shown side by side (depth_pro_nano)"
    )
    parser.add_argument("--count", type=int, default=len(HELD_OUT_SEEDS), help="held-out scenes (%(default)s)")
    parser.add_argument("--kinect", type=Path, help=f"folder of the dining room (environment: {KINECT_VARIABLE})")
    parser.add_argument("--markdown", type=Path, help="write the report to this file, such as docs/models.md")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    if not 1 <= arguments.count <= FITTING_SEEDS.start:
        parser.error(f"--count is {arguments.count}, expected 1 to {FITTING_SEEDS.start}: seeds above are trained on")
    torch.manual_seed(0)
    models = arguments.model or ["depth_pro_nano"]
    sets, trivial = real_sets(arguments.kinect), fit_trivial()
    estimators = [load_estimator(model, device=arguments.device) for model in models]
    results = [evaluate(estimator, range(arguments.count), sets.found, trivial) for estimator in estimators]
    if arguments.markdown:
        kinect = any(isinstance(frames, KinectDining) for frames in sets.found)
        devices = tuple(estimator.info.device for estimator in estimators)
        run = Run(tuple(models), arguments.count, kinect, devices)
        arguments.markdown.write_text(page(results, sets.skipped, run), encoding="utf-8")
    print(table(results))
    for reason in sets.skipped:
        print(f"Skipped: {reason}")


if __name__ == "__main__":
    main()
