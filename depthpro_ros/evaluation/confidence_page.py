# SPDX-License-Identifier: Apache-2.0
"""What the confidence of metric depth is and is worth, as markdown and as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from depthpro_ros.confidence import ERROR, FLOOR_PER_M, GRID_COLUMNS, POWER
from depthpro_ros.evaluation.confidence_scores import FRACTIONS, ConfidenceScores
from depthpro_ros.machine import machine

COMMAND = "python -m depthpro_ros.evaluation.confidence"


TEXT = """# Confidence

`depth/confidence` is a 32FC1 image, 0 to 1, with the header of the depth image that it belongs to. It is computed
while somebody listens. **It is a heuristic that ranks pixels, not a probability.** What it is depends on the model:

| model | confidence |
|---|---|
| metric (Depth Pro) | 1 / (1 + e), e the relative error to be expected of such a surface, as below |
| up to scale, `decoding: spread` | 1 / (1 + s), s the relative standard deviation of several draws |
| up to scale, other decodings | none is published |

The second one is measured, so nothing of the first is multiplied into it. Take what is above a threshold, or take it as
a weight; find the threshold on your own images. Of a metric model it is 0 exactly where the depth image has no finite
number: sky, out of range, or untrusted (`edge_filter: all`). While a `scale_source` gives no scale there is no depth
image, and no confidence either.

## What it is made of

e = {error} · (bend + {bend}) ^ {power}

- **Bend.** Inverse depth of a plane is linear in pixels, however steeply it is seen. The second difference of inverse
  depth over inverse depth is what is no plane: depth edges, thin things, leaves, and the network's own waves. It is
  taken on a grid of {columns} columns; half of it is the pixel's own, half the mean around, so that it fades with the
  distance to an edge over about a fifteenth of the image's width.
- **Range.** Of two flat walls the farther is believed less. This term is chosen, not fitted: on training scenes range
  said little once the bend was known, and the factor is about the largest that cost no more than 0.01 of the rank
  correlation.
- **Grazing surfaces** are not believed less as such: a floor is a plane, and on those scenes steep surfaces were, if
  anything, the better ones. Nor was a term for the pixels that the edge filter marks of use beside the bend.

The two other constants were fitted to 256 scenes of the kind that the bundled network was trained on, none of which is
scored here, by `{command} --fit`. An image of 640x480 takes {cost} ms ({device}, by the command below).

**Agreement of overlapping windows is not in it.** Depth Pro's encoder sees overlapping windows of the image at three
sizes, but they are merged as features, before there is any depth: the network makes one depth per pixel and keeps no
second opinion. To have one takes another pass, for example of the mirrored image, which would double a frame's time.

**What it cannot see**: an image that is too near or too far as a whole, by a wrong focal length or an unknown kind of
place. That is what [a scale from the world](scale.md) is for; `depth/scale` has the share of its samples that agree.

## What it is worth

Written by `{run}`, on {machine}. Do not edit; run it again.

{pixels} pixels of {images} held-out scenes of 256x192, up to 80 m, with the true focal length. Errors are |p - d| / d
after each image was scaled by median(d / p); in the last column of the first table as predicted. Each bin holds a tenth
of the pixels. AUSE is the area between the sparsification curve and the oracle's over that between chance and the
oracle: 0 is perfect, 1 is chance.

{table}

From bin to bin the median error falls {falls} times of {steps}; the least confident tenth is off by {times} times as
much as the most confident. A rank correlation of {rank} is far from perfect: a confident pixel may be wrong. In metres
as predicted the order is worth less, {metric_rank}, since this network's error is for the most part the whole image's.

![Median error by confidence, and mean error while the least confident pixels are left out](images/confidence.png)

The level of the confidence, how much error it says, is that of the small bundled network, depth_pro_nano; better
weights should err less than it says. Neither level nor order was tested on Apple's weights, nor on photographs.
"""


def table(scores: Mapping[str, ConfidenceScores]) -> str:
    """Bins of the confidence, then how it and its rivals rank pixels."""
    lines = [
        "| confidence, mean of the bin | error it says | median error | mean error | median error in metres |",
        "|---" * 5 + "|",
    ]
    lines += [
        f"| {b.confidence:.3f} | {1 / b.confidence - 1:.3f} | {b.median:.3f} | {b.mean:.3f} | {b.metric_median:.3f} |"
        for b in scores["confidence"].bins
    ]
    lines += ["", "| order by | rank correlation | within an image | in metres | AUSE |", "|---" * 5 + "|"]
    lines += [
        f"| {name} | {s.rank:.3f} | {s.rank_in_image:.3f} | {s.metric_rank:.3f} | {s.ause:.3f} |"
        for name, s in scores.items()
    ]
    return "\n".join(lines)


def page(scores: Mapping[str, ConfidenceScores], model: str, scenes: int, device: str, cost_ms: float) -> str:
    """docs/confidence.md.

    Args:
        scores: by what pixels are ordered by.
        model, scenes, device: how they were made.
        cost_ms: time for an image of 640x480.
    """
    own = scores["confidence"]
    medians = [b.median for b in own.bins]
    falls = sum(low > high for low, high in pairwise(medians))
    name = Path(model).name
    parts = {
        "bend": f"{FLOOR_PER_M:g}/m · z",
        "columns": GRID_COLUMNS,
        "error": f"{ERROR:g}",
        "power": f"{POWER:g}",
        "command": COMMAND,
        "run": f"{COMMAND} --model {name} --scenes {scenes} --markdown FILE --picture FILE",
        "machine": machine((device,)),
        "pixels": own.pixels,
        "images": own.images,
        "table": table(scores),
        "falls": falls,
        "steps": len(medians) - 1,
        "times": f"{medians[0] / medians[-1]:.1f}",
        "rank": f"{own.rank:.2f}",
        "metric_rank": f"{own.metric_rank:.2f}",
        "cost": f"{cost_ms:.1f}",
        "device": "one thread of a CPU" if device == "cpu" else device,
    }
    return TEXT.format(**parts)


def picture(scores: ConfidenceScores, path: Path) -> None:
    """Draw error by bin and the sparsification curves into a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(7.4, 2.9), dpi=80, layout="constrained")
    left.plot([b.confidence for b in scores.bins], [b.median for b in scores.bins], "o-", label="median error")
    left.plot([b.confidence for b in scores.bins], [1 / b.confidence - 1 for b in scores.bins], ":", label="it says")
    left.set_xlabel("confidence")
    left.set_ylabel("relative error")
    left.set_ylim(bottom=0)
    left.legend()
    right.plot(FRACTIONS, scores.curve, label="least confident")
    right.plot(FRACTIONS, scores.oracle, label="largest error (oracle)")
    right.axhline(1, color="grey", linestyle=":", label="at random")
    right.set_xlabel("share of pixels left out")
    right.set_ylabel("mean error of the rest")
    right.legend(fontsize="small")
    figure.savefig(path)
    pyplot.close(figure)
