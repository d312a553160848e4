# SPDX-License-Identifier: Apache-2.0
"""The comparison's page: table, paired intervals, curves."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.depthart.arm import ArmResult, Score
from depthpro_ros.evaluation.aggregate import Aggregate, aggregate
from depthpro_ros.machine import machine

LABELS = {
    "regression": "direct regression, same trunk",
    "var": "VAR (teacher forcing)",
    "depthart": "DepthART (own predictions)",
    "corrupt": "random errors, re-targeted",
}
COLOURS = {"regression": "0.4", "var": "tab:blue", "depthart": "tab:red", "corrupt": "tab:green"}
RESAMPLES = 10_000


def paired_interval(first: NDArray[np.float64], second: NDArray[np.float64]) -> Aggregate:
    """first - second over scenes, each scene's difference being the mean over training seeds.

    Args:
        first, second: [seeds, scenes], NaN where a scene has no depth.
    """
    return aggregate(list(np.nanmean(first - second, axis=0)), samples=RESAMPLES)


def shown(difference: Aggregate) -> str:
    """Its mean and 95 % interval."""
    return f"{difference.mean:+.4f} ({difference.low:+.4f} to {difference.high:+.4f})"


def matrix(results: Sequence[ArmResult], arm: str, decoder: str) -> NDArray[np.float64]:
    """abs_rel [seeds, scenes] of an arm, by seed."""
    chosen = sorted((r for r in results if r.arm == arm), key=lambda r: r.seed)
    return np.array([r.scores[decoder].abs_rel for r in chosen], dtype=np.float64)


def table(results: Sequence[ArmResult], trivial: dict[str, Score]) -> str:
    """Markdown: each arm and decoder with its mean over seeds and the seeds' own figures."""
    lines = ["| predictor | decoder | abs_rel ↓ | of each seed | delta1 ↑ |", "|---|---|---|---|---|"]
    for name, score in trivial.items():
        lines.append(f"| {name} | | {np.nanmean(score.abs_rel):.4f} | | {np.nanmean(score.delta1):.4f} |")
    for arm, label in LABELS.items():
        chosen = sorted((r for r in results if r.arm == arm), key=lambda r: r.seed)
        for decoder in chosen[0].scores if chosen else ():
            seeds = [float(np.nanmean(r.scores[decoder].abs_rel)) for r in chosen]
            delta1 = float(np.mean([np.nanmean(r.scores[decoder].delta1) for r in chosen]))
            each = ", ".join(f"{value:.4f}" for value in seeds)
            shown = "" if arm == "regression" else decoder
            lines.append(f"| {label} | {shown} | {np.mean(seeds):.4f} | {each} | {delta1:.4f} |")
    return "\n".join(lines)


def differences(results: Sequence[ArmResult]) -> str:
    """Markdown: paired differences of abs_rel, with intervals over scenes and the range over seeds."""
    lines = [
        "| difference of abs_rel | decoder | mean (95 % over scenes) | of each seed | scenes better |",
        "|---|---|---|---|---|",
    ]
    pairs = (("var", "depthart"), ("var", "corrupt"), ("corrupt", "depthart"))
    for first, second in pairs:
        for decoder in ("argmax", "sampled"):
            a, b = matrix(results, first, decoder), matrix(results, second, decoder)
            if a.shape != b.shape or not a.size:
                continue
            seeds = ", ".join(f"{value:+.4f}" for value in np.nanmean(a - b, axis=1))
            mean = np.nanmean(a - b, axis=0)
            better = float(np.mean(mean[np.isfinite(mean)] > 0))
            lines.append(
                f"| {LABELS[first]} - {LABELS[second]} | {decoder} | {shown(paired_interval(a, b))} | {seeds} | "
                f"{100 * better:.0f} % |"
            )
    return "\n".join(lines)


def plots(results: Sequence[ArmResult], scales: Sequence[int]) -> bytes:
    """PNG: learning curves, abs_rel after each scale, entropy of each scale."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    for arm, label in LABELS.items():
        chosen = [r for r in results if r.arm == arm]
        if not chosen:
            continue
        for index, result in enumerate(chosen):
            steps, values = zip(*result.curve, strict=True)
            axes[0].plot(steps, values, color=COLOURS[arm], alpha=0.7, label=label if index == 0 else None)
        if arm == "regression":
            continue
        for decoder, style in (("argmax", "-"), ("sampled", "--")):
            mean = np.mean([r.scores[decoder].abs_rel_of_scale for r in chosen], axis=0)
            axes[1].plot(range(len(mean)), mean, style, color=COLOURS[arm], marker="o", label=f"{label}, {decoder}")
        entropy = np.mean([r.scores["argmax"].entropy_of_scale for r in chosen], axis=0)
        axes[2].plot(range(len(entropy)), entropy, color=COLOURS[arm], marker="o", label=label)
    axes[0].set(xlabel="steps after the common start", ylabel="abs_rel, argmax (64 held-out scenes)")
    axes[1].set(xlabel="scale", ylabel="abs_rel of what is said so far")
    axes[2].set(xlabel="scale", ylabel="entropy of a token, nats")
    for axis in axes[1:]:
        axis.set_xticks(range(len(scales)), [f"{side}x{side}" for side in scales])
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110)
    plt.close(figure)
    return buffer.getvalue()


def page(
    results: Sequence[ArmResult], trivial: dict[str, Score], scales: Sequence[int], notes: str, command: str, image: str
) -> str:
    """docs/depthart.md.

    Args:
        results: of all arms and seeds.
        trivial: rows that nothing was trained for.
        scales: sides of the token maps.
        notes: what a person wrote about it.
        command: that made the page.
        image: where the plots are, relative to the page.
    """
    settings = results[0].settings
    minutes = {arm: np.mean([r.seconds for r in results if r.arm == arm]) / 60 for arm in LABELS}
    took = ", ".join(f"{LABELS[arm]} {value:.1f}" for arm, value in minutes.items() if np.isfinite(value))
    seeds = sorted({r.seed for r in results})
    scenes = len(results[0].scores["argmax"].abs_rel)
    return (
        "\n\n".join(
            (
                notes.strip(),
                "## What came out",
                f"Written by `{command}` on {machine()}. {len(seeds)} seeds, {settings.steps} steps of "
                f"{settings.batch} images for each arm after the common start, {scenes} held-out scenes of 256x192, "
                "depth up to 80 m, aligned by the median of ratios. Minutes of training, one thread each, mean over "
                f"seeds: {took}.",
                table(results, trivial),
                differences(results),
                "The intervals are over scenes, with the seeds' mean of each; the seeds' own differences stand beside "
                "them. Above 0 means that the second of the two is better.",
                f"![Learning curves, error after each scale, entropy]({image})",
            )
        )
        + "\n"
    )


def write(
    docs: Path, results: Sequence[ArmResult], trivial: dict[str, Score], scales: Sequence[int], pool: int
) -> None:
    """Write docs/depthart.md and its picture.

    Args:
        docs: the folder of the documentation; `depthart_notes.md` is read there.
        results, trivial, scales: see `page`.
        pool: training images of one seed.
    """
    picture = docs / "images" / "depthart_arms.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(plots(results, scales))
    settings = results[0].settings
    seeds = len({r.seed for r in results})
    command = f"python -m benchmarks.depthart --steps {settings.steps} --seeds {seeds} --pool {pool}"
    notes = (docs / "depthart_notes.md").read_text(encoding="utf-8")
    text = page(results, trivial, scales, notes, command, "images/depthart_arms.png")
    (docs / "depthart.md").write_text(text, encoding="utf-8")


def write_without_results(docs: Path) -> None:
    """Write docs/depthart.md before the comparison has been run.

    Args:
        docs: the folder of the documentation.
    """
    notes = (docs / "depthart_notes.md").read_text(encoding="utf-8").strip()
    text = "The comparison has not been run yet: `python -m benchmarks.depthart` runs it and writes its figures here."
    (docs / "depthart.md").write_text(f"{notes}\n\n## What came out\n\n{text}\n", encoding="utf-8")
