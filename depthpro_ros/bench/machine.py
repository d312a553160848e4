# SPDX-License-Identifier: Apache-2.0
"""Part "machine": how fast this machine multiplies, convolves and copies, and the floor that follows for one frame."""

from __future__ import annotations

from collections.abc import Callable

import torch

from depthpro_ros.bench.flops import frame_flops
from depthpro_ros.bench.rates import FORMATS, LONGEST_S, MLP, SQUARE, Unsupported, Work, convolution, copies, product
from depthpro_ros.bench.results import LONG_S, Cell, Figure, PartResult, Row, RunContext, Table
from depthpro_ros.bench.timing import take_turns
from depthpro_ros.models.depth_pro import DepthProConfig

SHARES = (0.4, 0.3, 0.2)
"""Of the part's time, for products, convolutions and copies."""
FEWER_ROWS = f"Where one would take more than {LONGEST_S} s, only a part of its rows was computed."
CONVOLVED = ("float32", "bfloat16", "float16")


def run(context: RunContext) -> PartResult:
    """Measure the rates; see `depthpro_ros.bench.results`."""
    formats = [name for name in FORMATS if context.on_cuda or name != "TF32"]
    products: dict[tuple[str, str], Work | str] = {}
    for number_format in formats:
        for shape_name, shape in (("square", SQUARE), ("mlp", MLP)):
            products[number_format, shape_name] = _or_reason(product, number_format, shape, context.device)
    rates = _rates(products, context, SHARES[0], least=3)
    matrix = Table(
        "Matrix products",
        "number format",
        ("4096 x 4096 x 4096", "20195 x 1024 x 4096, the network's MLP"),
        tuple(Row(name, (rates[name, "square"], rates[name, "mlp"])) for name in formats),
        ("Of random numbers.", FEWER_ROWS),
    )
    convolutions: dict[tuple[str, str], Work | str] = {
        (name, "convolution"): _or_reason(convolution, getattr(torch, name), context.device) for name in CONVOLVED
    }
    convolved = _rates(convolutions, context, SHARES[1], least=3)
    convolving = Table(
        "Convolution 3x3, 256 to 256 channels of 384x384, channels last",
        "number format",
        ("rate",),
        tuple(Row(name, (convolved[name, "convolution"],)) for name in CONVOLVED),
        (FEWER_ROWS,),
    )
    moved = {work.name: work for work in copies(context.device)}
    samples = take_turns(
        {name: work.action for name, work in moved.items()}, context.device, context.seconds * SHARES[2], kernels=True
    )
    copying = Table(
        "Copies of 256 MiB",
        "from, to",
        ("rate",),
        tuple(
            Row(name, (Figure.median([rate / 1e9 for rate in samples[name].rates(work.amount)], "GB/s"),))
            for name, work in moved.items()
        ),
    )
    return PartResult("machine", (matrix, convolving, copying, _floors(formats, rates)))


def _or_reason(make: Callable[..., Work], *arguments: object) -> Work | str:
    try:
        return make(*arguments)
    except Unsupported as error:
        return f"no: {error}"[:60]


def _rates(
    works: dict[tuple[str, str], Work | str], context: RunContext, share: float, least: int
) -> dict[tuple[str, str], Cell]:
    """Operations in a second of each work, or why there are none."""
    scale, unit = (1e12, "TFLOP/s") if context.on_cuda else (1e9, "GFLOP/s")
    actions = {"/".join(key): work.action for key, work in works.items() if isinstance(work, Work)}
    samples = take_turns(actions, context.device, context.seconds * share, least, kernels=True)
    return {
        key: work
        if isinstance(work, str)
        else Figure.median([rate / scale for rate in samples["/".join(key)].rates(work.amount)], unit)
        for key, work in works.items()
    }


def _floors(formats: list[str], rates: dict[tuple[str, str], Cell]) -> Table:
    """What one frame of the full network takes at least, in formats that are not slower than float32."""
    flops = frame_flops(DepthProConfig())
    rows: list[Row] = []
    slowest = 0.0
    for name in formats:
        reached = [rate for rate in (rates[name, "square"], rates[name, "mlp"]) if isinstance(rate, Figure)]
        best = max(reached, key=lambda rate: rate.value, default=None)
        if best is None or best.value < slowest:
            continue
        slowest = slowest or best.value
        rows.append(Row(name, (floor(flops.total, best), floor(flops.depth, best))))
    return Table(
        "Floor of one frame: the published network's operations at the better of the two rates",
        "number format",
        (f"{flops.total / 1e12:.3f} TFLOP, depth and field of view", f"{flops.depth / 1e12:.3f} TFLOP, known focal"),
        tuple(rows),
        ("Everything in this number format; operations counted with torch's FlopCounterMode.",),
    )


def floor(flops: int, rate: Figure) -> Figure:
    """How long operations take at least.

    Args:
        flops: how many.
        rate: in GFLOP/s or TFLOP/s.
    """
    each = {"GFLOP/s": 1e9, "TFLOP/s": 1e12}[rate.unit]
    median, longest, shortest = (flops / (value * each) for value in (rate.value, rate.low, rate.high))
    scale, unit = (1.0, "s") if median >= LONG_S else (1e3, "ms")
    return Figure(median * scale, shortest * scale, longest * scale, rate.runs, unit)
