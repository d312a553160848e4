# SPDX-License-Identifier: Apache-2.0
"""Part "profiles": how fast the approximate ways to run a network are, and how far they change its depth.

Speed is measured in turns with the exact network; the deviation is that of depth, on photographs and scenes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.bench.model_options import ModelOptions
from depthpro_ros.bench.pictures import Picture, known_photographs, scenes
from depthpro_ros.bench.random_weights import full_weights
from depthpro_ros.bench.results import Cell, Figure, PartResult, Row, RunContext, Table
from depthpro_ros.bench.timing import take_turns
from depthpro_ros.errors import InputError, first_line
from depthpro_ros.models import Estimator
from depthpro_ros.models.depth_pro import DepthProConfig

SCENES, SIZE = 3, (640, 480)
WITHIN = 1.25
STILL_FRAMES, NOISE_LEVELS, REUSED_LEVELS = 12, 1.5, 4.0
"""A camera at rest: frames, standard deviation of its noise, and what `reuse_tiles` is set to."""


@dataclass(frozen=True)
class Profile:
    """An approximate way to run a network.

    Attributes:
        name: in the table.
        options: for `load_estimator`.
    """

    name: str
    options: ModelOptions


PROFILES = (
    Profile("precision float16", ModelOptions(precision="float16")),
    Profile("precision bfloat16", ModelOptions(precision="bfloat16")),
    Profile("resolution two_thirds", ModelOptions(resolution="two_thirds")),
    Profile("resolution half", ModelOptions(resolution="half")),
    Profile("quantise int8", ModelOptions(quantise="int8")),
    Profile("quantise fp8", ModelOptions(quantise="fp8")),
)


@dataclass(frozen=True)
class Deviation:
    """How far depth is from other depth.

    Attributes:
        relative: mean of |d - exact| / exact.
        within: share of pixels whose larger ratio is below `WITHIN` (delta1 between both).
    """

    relative: float
    within: float

    @classmethod
    def between(cls, depth_m: NDArray[np.float32], exact_m: NDArray[np.float32]) -> Deviation:
        """Of two depth maps [H, W], all of whose pixels count (the network's depth is always finite)."""
        ratio = np.maximum(depth_m / exact_m, exact_m / depth_m)
        return cls(float(np.mean(np.abs(depth_m - exact_m) / exact_m)), float(np.mean(ratio < WITHIN)))


def run(context: RunContext) -> PartResult:
    """Measure; see `depthpro_ros.bench.results`."""
    pictures = [*known_photographs(), *scenes(SCENES, *SIZE)]
    models: list[tuple[str | Path, bool]] = [("depth_pro_nano", True)]
    if context.weights is not None:
        models.append((context.weights, True))
    elif context.on_cuda:
        models.append((full_weights(context, DepthProConfig()), False))
    tables: list[Table] = []
    for model, means_something in models:
        seconds = context.seconds / len(models) / 2
        slow = not context.on_cuda and model != "depth_pro_nano"
        seen = pictures[:1] if slow else pictures
        tables.append(of_model(model, seen, context, seconds, deviations=means_something, least=1 if slow else 3))
        if not slow:
            tables.append(at_rest(model, pictures[-1], context, seconds, deviations=means_something))
    return PartResult("profiles", tuple(tables))


def of_model(
    model: str | Path,
    pictures: Sequence[Picture],
    context: RunContext,
    seconds: float,
    *,
    deviations: bool,
    least: int = 3,
) -> Table:
    """Every profile of one model beside the exact one."""
    exact = ModelOptions(precision="float32").load(model, context.device)
    truths = [depth_of(exact, picture) for picture in pictures] if deviations else []
    usual = ModelOptions().load(model, context.device)
    rows, notes = [], []
    for profile in PROFILES:
        try:
            estimator = profile.options.load(model, context.device)
            found = [Deviation.between(depth_of(estimator, p), t) for p, t in zip(pictures, truths, strict=False)]
            cells = speed(usual, estimator, pictures[:1], context.device, seconds / len(PROFILES), least)
        except (InputError, RuntimeError) as error:
            rows.append(Row(profile.name, ("not here", *[""] * 3)))
            notes.append(f"{profile.name}: {first_line(error)}.")
            continue
        rows.append(Row(profile.name, (*cells, *words(found))))
    info = usual.info
    shown = f"{len(pictures)} pictures: {', '.join(dict.fromkeys(p.name.split(' ')[0] for p in pictures))}"
    measured = f"Deviation from float32 and exact, on {shown}." if deviations else "Random weights: speed alone."
    height, width = pictures[0].rgb.shape[:2]
    title = f"{info.name}: approximate profiles, one image of {width}x{height}"
    return Table(title, "profile", columns(info.precision), tuple(rows), (measured, *notes))


def at_rest(model: str | Path, picture: Picture, context: RunContext, seconds: float, *, deviations: bool) -> Table:
    """Reuse of windows before a camera at rest, with sensor noise, alone and while something passes."""
    usual = ModelOptions().load(model, context.device)
    rows = []
    for name, moving in (("noise alone", False), ("something passes", True)):
        frames = still_frames(picture, moving)
        estimator = ModelOptions(reuse_tiles=REUSED_LEVELS).load(model, context.device)
        found = []
        for frame in frames:
            depth = depth_of(estimator, frame)
            if deviations:
                found.append(Deviation.between(depth, depth_of(usual, frame)))
        cells = speed(usual, estimator, frames, context.device, seconds / 2)
        rows.append(Row(name, (*cells, *words(found))))
    height, width = picture.rgb.shape[:2]
    title = (
        f"{usual.info.name}: reuse_tiles {REUSED_LEVELS:g}, camera at rest, {STILL_FRAMES} frames of {width}x{height} "
        f"with noise of {NOISE_LEVELS:g} levels"
    )
    return Table(title, "scene", columns(usual.info.precision), tuple(rows))


def columns(precision: str) -> tuple[str, ...]:
    """Headings of both tables."""
    return "one image", f"exact, {precision}, in turns", "mean relative change of depth", "within a ratio of 1.25"


def speed(
    usual: Estimator, estimator: Estimator, pictures: Sequence[Picture], device: str, seconds: float, least: int = 3
) -> tuple[Cell, Cell]:
    """Times of an image with a profile and exactly, in turns; each turn is the next of the pictures."""

    def one_after_another(model: Estimator) -> Callable[[], object]:
        shown = itertools.cycle(pictures)
        return lambda: depth_of(model, next(shown))

    actions = {"profile": one_after_another(estimator), "exact": one_after_another(usual)}
    samples = take_turns(actions, device, seconds, least)
    return Figure.duration(samples["profile"].seconds), Figure.duration(samples["exact"].seconds)


def words(found: list[Deviation]) -> tuple[Cell, Cell]:
    """Both figures over all pictures; nothing where there are none."""
    if not found:
        return "", ""
    relative, within = [100 * d.relative for d in found], [100 * d.within for d in found]
    return Figure.median(relative, "%"), Figure.median(within, "%")


def depth_of(estimator: Estimator, picture: Picture) -> NDArray[np.float32]:
    """Depth of a picture in host memory."""
    return np.asarray(estimator.predict(picture.rgb, picture.focal_px).metres.cpu().numpy(), np.float32)


def still_frames(picture: Picture, moving: bool) -> list[Picture]:
    """What a camera at rest sees: the same with noise and, if asked, a grey ball that crosses the picture."""
    rng = np.random.default_rng(0)
    height, width = picture.rgb.shape[:2]
    v, u = np.mgrid[:height, :width]
    frames = []
    for number in range(STILL_FRAMES):
        rgb = picture.rgb + rng.normal(0, NOISE_LEVELS, picture.rgb.shape)
        if moving:
            centre = width * (number + 0.5) / STILL_FRAMES
            rgb[np.hypot(u - centre, v - height / 2) < height / 10] = 128
        frames.append(Picture(picture.name, rgb.round().clip(0, 255).astype(np.uint8), picture.focal_px))
    return frames
