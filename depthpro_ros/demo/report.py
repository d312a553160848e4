# SPDX-License-Identifier: Apache-2.0
"""What the demo found out: pictures of every frame, and a table."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from depthpro_ros.cloud_view import cloud_view
from depthpro_ros.demo.bag import Answer
from depthpro_ros.demo.photographs import DemoFrame
from depthpro_ros.evaluation.metrics import DepthScores, score_depth
from depthpro_ros.visualise import (
    RgbImage,
    captioned,
    colour_depth,
    contact_sheet,
    png_bytes,
    robust_limits,
    side_by_side,
    with_legend,
)

MAX_DEPTH_M = 80.0


@dataclass(frozen=True)
class FrameResult:
    """One line of the table.

    Attributes:
        index: of the frame.
        name: of the photograph.
        latency_ms: from sending the image to receiving its depth; NaN where there was no answer.
        true_focal_px: NaN where nobody knows it.
        estimated_focal_px: of the field-of-view network for this frame alone; NaN where it did not run.
        used_focal_px: what the depth was made with.
        metric: scores without alignment; None without ground truth or answer.
        aligned: scores after median scaling.
    """

    index: int
    name: str
    latency_ms: float
    true_focal_px: float
    estimated_focal_px: float
    used_focal_px: float
    metric: DepthScores | None
    aligned: DepthScores | None


@dataclass(frozen=True)
class Summary:
    """The demo in numbers. Means are over frames; NaN where no frame counts.

    Attributes:
        model: name of the model, as the node reports it.
        notice: what the node wants its user to know about the model; empty if nothing.
        frames_in, frames_out: images sent, and those that were answered with depth.
        latency_p50_ms, latency_p95_ms: from sending an image to receiving its depth.
        focal_ratio_median: estimated focal length divided by the true one.
        focal_error_mean: mean of |estimated / true - 1|.
        abs_rel, delta1: without alignment: the metres themselves.
        abs_rel_aligned, delta1_aligned: after median scaling: the shape alone.
    """

    model: str
    notice: str
    frames_in: int
    frames_out: int
    latency_p50_ms: float
    latency_p95_ms: float
    focal_ratio_median: float
    focal_error_mean: float
    abs_rel: float
    delta1: float
    abs_rel_aligned: float
    delta1_aligned: float


def score(frames: Sequence[DemoFrame], answers: Sequence[Answer]) -> list[FrameResult]:
    """Hold the answers against what is known about the frames, which they belong to one by one."""
    results = []
    for index, (frame, answer) in enumerate(zip(frames, answers, strict=True)):
        known = frame.truth_m is not None and answer.depth_m is not None
        results.append(
            FrameResult(
                index=index,
                name=frame.name,
                latency_ms=_or_nan(answer.latency_ms),
                true_focal_px=_or_nan(frame.camera.fx if frame.camera else None),
                estimated_focal_px=_or_nan(answer.estimated),
                used_focal_px=_or_nan(answer.used),
                metric=score_depth(answer.depth_m, frame.truth_m) if known else None,  # type: ignore[arg-type]
                aligned=score_depth(answer.depth_m, frame.truth_m, align=True) if known else None,  # type: ignore[arg-type]
            )
        )
    return results


def summarise(results: Sequence[FrameResult], model: str, notice: str) -> Summary:
    """Sum up all frames."""
    latencies = [r.latency_ms for r in results if math.isfinite(r.latency_ms)]
    ratios = [r.estimated_focal_px / r.true_focal_px for r in results]
    ratios = [r for r in ratios if math.isfinite(r)]
    metric = [r.metric for r in results if r.metric]
    aligned = [r.aligned for r in results if r.aligned]
    return Summary(
        model=model,
        notice=notice,
        frames_in=len(results),
        frames_out=len(latencies),
        latency_p50_ms=float(np.percentile(latencies, 50)) if latencies else math.nan,
        latency_p95_ms=float(np.percentile(latencies, 95)) if latencies else math.nan,
        focal_ratio_median=float(np.median(ratios)) if ratios else math.nan,
        focal_error_mean=float(np.mean(np.abs(np.array(ratios) - 1))) if ratios else math.nan,
        abs_rel=_mean([s.abs_rel for s in metric]),
        delta1=_mean([s.delta1 for s in metric]),
        abs_rel_aligned=_mean([s.abs_rel for s in aligned]),
        delta1_aligned=_mean([s.delta1 for s in aligned]),
    )


def markdown(summary: Summary, results: Sequence[FrameResult]) -> str:
    """The report as Markdown that is also easy to read in a terminal."""
    s = summary
    rows = [
        ("model", s.model),
        ("frames in / out", f"{s.frames_in} / {s.frames_out}"),
        ("latency p50 / p95, image sent to depth received", f"{s.latency_p50_ms:.0f} / {s.latency_p95_ms:.0f} ms"),
        (
            "estimated / true focal, median (mean error)",
            f"{s.focal_ratio_median:.3f} ({100 * s.focal_error_mean:.1f} %)",
        ),
        ("abs_rel, metres as they are", f"{s.abs_rel:.3f}"),
        ("delta1, metres as they are", f"{s.delta1:.3f}"),
        ("abs_rel, after median scale", f"{s.abs_rel_aligned:.3f}"),
        ("delta1, after median scale", f"{s.delta1_aligned:.3f}"),
    ]
    parts = ["# Demo report", ""]
    if s.notice:
        parts += [f"**Note:** {s.notice}.", ""]
    parts += [_table(("", "value"), rows), "", "Per frame, with the true focal length where it is known:", ""]
    head = ["frame", "photograph", "latency ms", "true f px", "estimated f px", "used f px"]
    head += ["abs_rel", "delta1", "abs_rel scaled", "delta1 scaled"]
    body = [
        (
            str(r.index),
            r.name,
            _number(r.latency_ms, 0),
            _number(r.true_focal_px, 1),
            _number(r.estimated_focal_px, 1),
            _number(r.used_focal_px, 1),
            *(
                _number(value, 3)
                for scores in (r.metric, r.aligned)
                for value in ((scores.abs_rel, scores.delta1) if scores else (math.nan, math.nan))
            ),
        )
        for r in results
    ]
    return "\n".join([*parts, _table(head, body), ""])


def as_json(summary: Summary, results: Sequence[FrameResult]) -> str:
    """The report for programs; a number that does not exist is null."""
    content = {"schema": 1, "summary": asdict(summary), "frames": [asdict(r) for r in results]}
    return json.dumps(_without_nan(content), indent=2, allow_nan=False) + "\n"


def draw(folder: Path, frames: Sequence[DemoFrame], answers: Sequence[Answer]) -> list[Path]:
    """Write `frames/frame_NNN.png` for every frame, and `overview.png`; returns the paths, the overview last.

    All frames of one photograph have one colour scale, the ground truth's included.
    """
    (folder / "frames").mkdir(parents=True, exist_ok=True)
    limits = _limits(frames, answers)
    panels, paths = [], []
    for index, (frame, answer) in enumerate(zip(frames, answers, strict=True)):
        panels.append(_panel(index, frame, answer, limits[frame.name]))
        paths.append(folder / "frames" / f"frame_{index:03d}.png")
        paths[-1].write_bytes(png_bytes(panels[-1]))
    overview = folder / "overview.png"
    overview.write_bytes(png_bytes(_overview(frames, panels)))
    return [*paths, overview]


def _limits(frames: Sequence[DemoFrame], answers: Sequence[Answer]) -> dict[str, tuple[float, float]]:
    """Colour limits for each photograph: those of its ground truth, or else those of its depths."""
    limits = {}
    for name in dict.fromkeys(f.name for f in frames):
        mine = [(f, a) for f, a in zip(frames, answers, strict=True) if f.name == name]
        truths = [f.truth_m for f, _ in mine if f.truth_m is not None]
        depths = [a.depth_m for _, a in mine if a.depth_m is not None]
        near, far = robust_limits(*(truths or depths))
        if truths and depths:
            low, high = robust_limits(*depths)
            # depths that are off by a factor should look off, not end in one colour
            near, far = max(min(near, low), near / 3), min(max(far, high), far * 3)
        limits[name] = (near, far)
    return limits


def _panel(index: int, frame: DemoFrame, answer: Answer, limits: tuple[float, float]) -> RgbImage:
    height, width = frame.rgb.shape[:2]
    true = f", true f {frame.camera.fx:.0f} px" if frame.camera else ""
    parts = [captioned(answer.image, f"{index}: {frame.name}{true}")]
    if frame.truth_m is not None:
        parts.append(captioned(colour_depth(frame.truth_m, *limits), "ground truth"))
    if answer.depth_m is None:
        nothing = np.zeros((height, width, 3), np.uint8)
        return side_by_side([*parts, captioned(nothing, "no depth arrived")])
    estimated = "" if answer.estimated is None else f", estimated f {answer.estimated:.0f} px"
    parts.append(captioned(with_legend(colour_depth(answer.depth_m, *limits), *limits), f"depth{estimated}"))
    if answer.cloud is not None:
        parts.append(captioned(cloud_view(answer.cloud, width=width, height=height), "point cloud, from the right"))
    return side_by_side(parts)


def _overview(frames: Sequence[DemoFrame], panels: Sequence[RgbImage]) -> RgbImage:
    """Four views of the scene with ground truth, and each other photograph once."""
    with_truth = [i for i, f in enumerate(frames) if f.truth_m is not None]
    first: dict[str, int] = {}
    for i, frame in enumerate(frames):
        if frame.truth_m is None:
            first.setdefault(frame.name, i)
    chosen = sorted({with_truth[round(k)] for k in np.linspace(0, len(with_truth) - 1, 4)}) if with_truth else []
    return contact_sheet([panels[i] for i in [*chosen, *first.values()]], 1, (1400, 280))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * w for w in widths], *rows]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines)


def _mean(values: Sequence[float]) -> float:
    finite = [v for v in values if math.isfinite(v)]
    return sum(finite) / len(finite) if finite else math.nan


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_nan(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
