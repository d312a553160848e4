# SPDX-License-Identifier: Apache-2.0
"""The bundled DepthART: a whole picture in memory to depth up to scale in memory, with each decoding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from depthpro_ros.bench.model_options import ModelOptions
from depthpro_ros.bench.pictures import Picture
from depthpro_ros.bench.results import Figure, Row, RunContext, Table
from depthpro_ros.bench.timing import take_turns
from depthpro_ros.models import Estimator
from depthpro_ros.models.depthart.sampling import DECODINGS, DecodingSettings


def ways(on_cuda: bool) -> dict[str, ModelOptions]:
    """What is measured, by name; the others are compared with the first."""
    first: dict[str, ModelOptions] = {}
    if on_cuda:  # what is drawn cannot be recorded
        first = {"argmax, graphs": ModelOptions(accelerate="graphs")}
    return first | {
        f"{decoding}, eager" if on_cuda else decoding: ModelOptions(accelerate="eager", decoding=decoding)
        for decoding in DECODINGS
    }


def nano_table(weights: Path, picture: Picture, context: RunContext) -> Table:
    """Each decoding in turns.

    Args:
        weights: of a small DepthART.
        picture: what it sees.
        context: of the run.
    """
    models = {name: options.load(weights, context.device) for name, options in ways(context.on_cuda).items()}
    samples = take_turns(
        {name: _frame(model, picture) for name, model in models.items()}, context.device, context.seconds
    )
    first = next(iter(models))
    rows = []
    for name in models:
        seconds = samples[name].seconds
        rate = Figure.once(1 / Figure.median(seconds, "s").value, "fps", "of the median")
        ratio = "" if name == first else Figure.ratio(seconds, samples[first].seconds)
        rows.append(Row(name, (Figure.duration(seconds), rate, ratio)))
    info = models[first].info
    height, width = picture.rgb.shape[:2]
    several = DecodingSettings().samples
    return Table(
        f"{weights.stem}, {info.precision}: image of {width}x{height} to relative depth",
        "decoding",
        ("one image", "rate", "against the first row"),
        tuple(rows),
        (f"sampled: {several} draws of each token; spread: {several} rollouts, with the spread of their depth.",),
    )


def _frame(model: Estimator, picture: Picture) -> Callable[[], object]:
    def frame() -> object:
        relative = model.predict(picture.rgb, picture.focal_px).relative_depth
        assert relative is not None
        return relative.cpu().numpy()

    return frame
