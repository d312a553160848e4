# SPDX-License-Identifier: Apache-2.0
"""Score a model on held-out procedural scenes, beside predictors that look at no pixel.

`python -m depthpro_ros.evaluation.held_out [--model MODEL]` prints the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from depthpro_ros.evaluation.metrics import score_depth
from depthpro_ros.evaluation.trivial import FAR_M, TrivialPredictors
from depthpro_ros.models import Estimator, load_estimator
from depthpro_ros.scenes import SceneBatch, render_scenes

HEIGHT_PX, WIDTH_PX = 192, 256
HELD_OUT_SEEDS = range(64)
FITTING_SEEDS = range(1_000_000, 1_000_256)
"""Training scenes from which the trivial predictors take their averages."""
BOUND_DEPTH_M = FAR_M


@dataclass(frozen=True)
class Row:
    """Means over images, given the true focal length.

    Attributes:
        predictor: its name.
        abs_rel: after scaling each prediction by median(truth) / median(prediction).
        delta1: in metres as they are, without alignment.
    """

    predictor: str
    abs_rel: float
    delta1: float


@dataclass(frozen=True)
class Result:
    """The model, and every trivial predictor.

    Attributes:
        focal_within_25: share of scenes whose estimated focal length is within 25 % of the true one.
    """

    model: Row
    trivial: tuple[Row, ...]
    focal_within_25: float

    @property
    def abs_rel_ratio(self) -> float:
        """The model's abs_rel over the best trivial one: below 1 is better."""
        return self.model.abs_rel / min(row.abs_rel for row in self.trivial)

    @property
    def delta1_ratio(self) -> float:
        """The model's delta1 over the best trivial one: above 1 is better."""
        return self.model.delta1 / max(row.delta1 for row in self.trivial)

    def table(self) -> str:
        """Markdown."""
        lines = ["| predictor | abs_rel, median scale | delta1, metric |", "|---|---|---|"]
        lines += [f"| {row.predictor} | {row.abs_rel:.3f} | {row.delta1:.3f} |" for row in (self.model, *self.trivial)]
        lines.append("")
        lines.append(
            f"Against the best trivial predictor: abs_rel x{self.abs_rel_ratio:.2f}, delta1 x{self.delta1_ratio:.2f}. "
            f"Focal within 25 %: {self.focal_within_25:.2f} of the scenes."
        )
        return "\n".join(lines)


def _row(name: str, predict: Callable[[int], np.ndarray], scenes: SceneBatch) -> Row:
    truths = scenes.depth_m.numpy()
    predictions = [predict(index) for index in range(len(truths))]
    pairs = list(zip(predictions, truths, strict=True))
    return Row(
        predictor=name,
        abs_rel=float(np.mean([score_depth(p, t, align=True).abs_rel for p, t in pairs])),
        delta1=float(np.mean([score_depth(p, t).delta1 for p, t in pairs])),
    )


def evaluate(estimator: Estimator, seeds: range = HELD_OUT_SEEDS) -> Result:
    """Render the scenes and score everything on them."""
    scenes = render_scenes(seeds, height=HEIGHT_PX, width=WIDTH_PX)
    trivial = TrivialPredictors.fit(render_scenes(FITTING_SEEDS, height=HEIGHT_PX, width=WIDTH_PX))
    depths: list[np.ndarray] = []
    good_focals = 0
    for rgb, focal in zip(scenes.rgb, scenes.focal_px.tolist(), strict=True):
        depths.append(estimator.predict(rgb, focal).depth_m.clamp(max=BOUND_DEPTH_M).cpu().numpy())
        estimated = float(estimator.predict(rgb).focal_px)
        good_focals += abs(estimated - focal) < 0.25 * focal
    maps = [trivial.predict(float(focal)) for focal in scenes.focal_px]
    return Result(
        model=_row(estimator.info.name, lambda index: depths[index], scenes),
        trivial=tuple(
            _row(name, lambda index, name=name: maps[index][name].numpy(), scenes)  # type: ignore[misc]
            for name in maps[0]
        ),
        focal_within_25=good_focals / len(depths),
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="depth_pro_nano", help="registered name or path")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    print(evaluate(load_estimator(arguments.model, device=arguments.device)).table())


if __name__ == "__main__":
    main()
