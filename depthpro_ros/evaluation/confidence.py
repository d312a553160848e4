# SPDX-License-Identifier: Apache-2.0
"""How well the confidence of metric depth tells good pixels from bad ones, on held-out scenes; and its constants.

`python -m depthpro_ros.evaluation.confidence [--model MODEL] [--scenes N]` prints the table. With `--fit` it prints the
constants that fit, from scenes that are not held out.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from depthpro_ros.confidence import ERROR, POWER, metric_confidence
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.confidence_page import page, picture, table
from depthpro_ros.evaluation.confidence_scores import Array, ConfidenceScores, score_confidence
from depthpro_ros.evaluation.held_out import FITTING_SEEDS, HELD_OUT_SEEDS, held_out_frames
from depthpro_ros.filters import edge_mask
from depthpro_ros.models import Estimator, load_estimator
from depthpro_ros.pipeline_settings import PipelineSettings

PIXELS_PER_IMAGE = 2000
COST_REPEATS = 50
LEAST_ERROR = 0.005
"""Added to errors before their logarithm is taken: a pixel that is right by chance says little."""


@dataclass(frozen=True)
class Pixels:
    """Random pixels of many images whose true depth is known and in range, all of one length.

    Attributes:
        confidence: 0 to 1.
        error: |p - d| / d after the image's prediction was scaled by median(d / p).
        metric_error: the same as predicted, with the true focal length.
        near: minus the logarithm of the predicted depth, as another confidence to compare with.
        smooth: 1 where the edge filter sees no edge, else 0, as another.
        image: which one.
    """

    confidence: Array
    error: Array
    metric_error: Array
    near: Array
    smooth: Array
    image: NDArray[np.int64]


def collect(estimator: Estimator, seeds: range) -> Pixels:
    """Let a model see rendered scenes.

    Raises:
        InputError: a model whose depth is up to scale.
    """
    if not estimator.info.metric:
        raise InputError(f"{estimator.info.name}'s depth is up to scale: this confidence is of metric models only")
    settings, rng = PipelineSettings(), np.random.default_rng(0)
    parts: list[tuple[NDArray[np.floating], ...]] = []
    for frames, _ in held_out_frames(seeds):
        for frame in frames:
            depth = estimator.predict(frame.rgb, frame.fx_px).metres
            confidence, smooth = metric_confidence(depth).cpu().numpy(), ~edge_mask(depth, settings.edge_ratio)
            p, d = depth.cpu().numpy().astype(np.float64), frame.depth_m.astype(np.float64)
            with np.errstate(invalid="ignore"):
                known = np.isfinite(d) & (d > 0) & (d <= settings.max_depth_m) & (p <= settings.max_depth_m)
            (chosen,) = known.ravel().nonzero()
            if not len(chosen):
                continue
            scale = np.median(d[known] / p[known])
            chosen = rng.choice(chosen, min(PIXELS_PER_IMAGE, len(chosen)), replace=False)
            p, d = p.ravel()[chosen], d.ravel()[chosen]
            parts.append(
                (
                    confidence.ravel()[chosen].astype(np.float64),
                    np.abs(scale * p - d) / d,
                    np.abs(p - d) / d,
                    -np.log(p),
                    smooth.cpu().numpy().ravel()[chosen].astype(np.float64),
                    np.full(len(chosen), len(parts)),
                )
            )
    return Pixels(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def fit(pixels: Pixels) -> tuple[float, float]:
    """`ERROR` and `POWER` with which 1 / confidence - 1 is the median relative error.

    The expected error is ERROR * x ** POWER, so the logarithm of the real one is fitted by that of the one that the
    present constants expect; POWER by least squares, ERROR by the median.
    """
    expected = np.log(1 / pixels.confidence - 1)
    error = np.log(pixels.error + LEAST_ERROR)
    slope = np.polyfit(expected, error, 1)[0]
    level = np.median(error - slope * expected)
    return float(math.exp(level) * ERROR**slope), float(slope * POWER)


def scores_of(pixels: Pixels) -> dict[str, ConfidenceScores]:
    """The confidence beside the single things that it might have been made of."""
    ways = {"confidence": pixels.confidence, "range alone": pixels.near, "depth edges alone": pixels.smooth}
    return {
        name: score_confidence(values, pixels.error, pixels.metric_error, pixels.image) for name, values in ways.items()
    }


def cost_ms(device: str) -> float:
    """Median time that the confidence of an image of 640x480 takes, in one thread."""
    rows = torch.linspace(1, 10, 480, device=device)[:, None]
    depth = (rows + torch.rand(480, 640, device=device)).contiguous()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times = []
    with torch.inference_mode():
        for _ in range(COST_REPEATS):
            began = time.perf_counter()
            metric_confidence(depth)
            if depth.is_cuda:
                torch.cuda.synchronize()
            times.append((time.perf_counter() - began) * 1e3)
    torch.set_num_threads(threads)
    return float(np.median(times))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="depth_pro_nano", help="registered name or path (%(default)s)")
    parser.add_argument("--scenes", type=int, default=len(HELD_OUT_SEEDS), help="how many (%(default)s)")
    parser.add_argument("--fit", action="store_true", help="print the constants that fit scenes that are not held out")
    parser.add_argument("--markdown", type=Path, help="write the page to this file, such as docs/confidence.md")
    parser.add_argument("--picture", type=Path, help="write the picture to this file (needs matplotlib)")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args(arguments)
    most = len(FITTING_SEEDS)
    if not 1 <= args.scenes <= most:
        parser.error(f"--scenes is {args.scenes}, expected 1 to {most}")
    estimator = load_estimator(args.model, device=args.device)
    if args.fit:
        pixels = collect(estimator, FITTING_SEEDS[: args.scenes])
        error, power = fit(pixels)
        print(f"ERROR, POWER = {error:.3g}, {power:.3g} of {args.scenes} scenes from seed {FITTING_SEEDS.start}")
        return
    scores = scores_of(collect(estimator, HELD_OUT_SEEDS[: args.scenes]))
    print(table(scores))
    if args.markdown:
        device = estimator.info.device
        text = page(scores, args.model, args.scenes, device, cost_ms(device))
        args.markdown.write_text(text, encoding="utf-8")
    if args.picture:
        picture(scores["confidence"], args.picture)


if __name__ == "__main__":
    main()
