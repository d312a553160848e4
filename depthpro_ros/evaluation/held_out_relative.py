# SPDX-License-Identifier: Apache-2.0
"""Score models up to scale on held-out procedural scenes and real sets, beside predictors that look at no pixel.

`python -m depthpro_ros.evaluation.held_out_relative [--model MODEL] [--decoding DECODING ...]` prints the table. Depth
is scaled by the median of truth / prediction of each image (arXiv 2409.15010), and counts up to 80 m.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthpro_ros.evaluation.held_out import HELD_OUT_SEEDS, PREDICTED_AT_ONCE, fit_trivial, held_out_frames
from depthpro_ros.evaluation.real_sets import KINECT_VARIABLE, real_sets
from depthpro_ros.evaluation.trivial import FAR_M, TrivialPredictors
from depthpro_ros.frames import RgbdFrame
from depthpro_ros.models import Estimator, load_estimator


@dataclass(frozen=True)
class RelativeScore:
    """Means over the images of one set.

    Attributes:
        predictor: its name.
        abs_rel, delta1: after alignment.
    """

    predictor: str
    abs_rel: float
    delta1: float


def aligned_score(predicted: np.ndarray, truth_m: np.ndarray) -> tuple[float, float]:
    """abs_rel and delta1 of one image scaled by median(truth / prediction); NaN without depth up to 80 m.

    Args:
        predicted: [H, W], above 0, any unit.
        truth_m: [H, W], NaN where it is unknown, +inf for sky.
    """
    known = np.isfinite(truth_m) & (truth_m > 0) & (truth_m <= FAR_M)
    if not known.any():
        return float("nan"), float("nan")
    p, d = predicted[known].astype(np.float64), truth_m[known].astype(np.float64)
    ratio = p * np.median(d / p) / d
    return float(np.mean(np.abs(ratio - 1))), float(np.mean(np.maximum(ratio, 1 / ratio) < 1.25))


def score_frames(
    estimator: Estimator, trivial: TrivialPredictors, sets: Iterable[Sequence[RgbdFrame]]
) -> list[RelativeScore]:
    """The model's score, then the trivial predictors'.

    Args:
        estimator: up to scale.
        trivial: predictors that look at no pixel.
        sets: frames, those of one batch of one size.
    """
    rows: dict[str, list[tuple[float, float]]] = {}
    for frames in sets:
        for first in range(0, len(frames), PREDICTED_AT_ONCE):
            batch = frames[first : first + PREDICTED_AT_ONCE]
            prediction = estimator.predict(np.stack([frame.rgb for frame in batch]))
            assert prediction.relative_depth is not None
            for frame, relative in zip(batch, prediction.relative_depth.cpu().numpy(), strict=True):
                maps = {estimator.info.name: relative} | trivial.predict(frame.fx_px, *frame.depth_m.shape)
                for name, predicted in maps.items():
                    rows.setdefault(name, []).append(aligned_score(predicted, frame.depth_m))
    means = {name: np.nanmean(np.array(scores), axis=0) for name, scores in rows.items()}
    return [RelativeScore(name, float(abs_rel), float(delta1)) for name, (abs_rel, delta1) in means.items()]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="depthart_ar", help="registered name or path (%(default)s)")
    parser.add_argument("--decoding", action="append", help="one or several (argmax)")
    parser.add_argument("--count", type=int, default=len(HELD_OUT_SEEDS), help="held-out scenes (%(default)s)")
    parser.add_argument("--kinect", type=Path, help=f"folder of the dining room (environment: {KINECT_VARIABLE})")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    trivial, found = fit_trivial(), real_sets(arguments.kinect).found
    print("| images | predictor | decoding | abs_rel ↓ | delta1 ↑ |\n|---|---|---|---|---|")
    for number, decoding in enumerate(arguments.decoding or ["argmax"]):
        estimator = load_estimator(arguments.model, device=arguments.device, decoding=decoding)
        scenes = (frames for frames, _ in held_out_frames(range(arguments.count)))
        sets = {f"held-out scenes ({arguments.count})": score_frames(estimator, trivial, scenes)}
        for frames in found:
            each = ([frames.frame(index)] for index in range(len(frames)))
            sets[f"{frames.name} ({len(frames)})"] = score_frames(estimator, trivial, each)
        for name, (model, *others) in sets.items():
            print(f"| {name} | {model.predictor} | {decoding} | {model.abs_rel:.3f} | {model.delta1:.3f} |")
            for other in others if number == 0 else ():
                print(f"| {name} | {other.predictor} | | {other.abs_rel:.3f} | {other.delta1:.3f} |")


if __name__ == "__main__":
    main()
