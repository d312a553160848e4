# SPDX-License-Identifier: Apache-2.0
"""What the paper's ingredients are worth, on small equal budgets: `python -m benchmarks.ablations`.

A small network is trained several times on procedural scenes, each time for the same number of steps and with one thing
changed. It prints a table, and writes a plot of the validation curves.
"""

from __future__ import annotations

import argparse
import functools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.learning_curve import validations
from depthpro_ros.evaluation.boundaries import boundary_f1
from depthpro_ros.evaluation.focal import score_focals
from depthpro_ros.evaluation.metrics import score_depth
from depthpro_ros.machine import machine
from depthpro_ros.models import load_estimator
from depthpro_ros.models.depth_pro.fov import FovHead
from depthpro_ros.scenes import SceneBatch, render_scenes
from depthpro_ros.training.config import config_from
from depthpro_ros.training.processes import joined
from depthpro_ros.training.sources import TrainingData
from depthpro_ros.training.trainer import TRAINED, Trainer

SCENES = range(700_000, 700_096)
"""Scenes of the table: neither trained on, nor those of the model's report."""
SIDE_PX = 128
NETWORK: dict[str, Any] = {
    "window_px": 32,
    "patch_px": 4,
    "patch_encoder": {"dim": 64, "depth": 3, "heads": 2},
    "image_encoder": {"dim": 64, "depth": 3, "heads": 2},
    "fov_encoder": {"dim": 64, "depth": 3, "heads": 2},
    "hooks": [1],
    "latent_dims": [24],
    "pyramid_dims": [24, 32, 32],
    "decoder_dim": 24,
    "head_dim": 16,
    "antialias": True,
}
PLAIN = {"log": 1, "mae": 1}
FIRST = {"log": 1, "mae": 1, "ssi_mage": 0.2}
SECOND = {"log": 1, "mae": 1, "mse": 1, "mage": 1, "male": 1, "msge": 1}
SECOND_PLAIN = {"log": 1, "mae": 1, "mse": 1}


@dataclass(frozen=True)
class Variant:
    """One thing changed.

    Attributes:
        stages: the losses of each stage, which share the steps evenly.
    """

    name: str
    stages: tuple[dict[str, float], ...]

    def folder(self, parent: Path, repeat: int) -> Path:
        """Where a run of it goes."""
        return parent / f"{self.name.replace(' ', '-').replace(',', '')}-{repeat}"


DEPTH_VARIANTS = (
    Variant("two stages, derivative losses", (FIRST, SECOND)),
    Variant("two stages, no derivative losses", (PLAIN, SECOND_PLAIN)),
    Variant("one stage, all losses", (SECOND,)),
)
HOW: dict[str, Any] = {
    "optimiser": {"kind": "muon", "lr_encoder": 1e-3, "lr_decoder": 2e-3, "betas": [0.9, 0.98], "clip": 1.0},
    "schedule": {"kind": "cosine", "warmup": 0.05, "last": 0.05},
    "augment": {"blur": 0, "crop": 0},
}
"""What every stage has."""
FOV_VARIANTS = ("both", "own encoder only", "depth features only")


class Silent(nn.Linear):
    """A projection of nothing: it keeps its weights, so that the network still fits its files."""

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(*x.shape[:-1], self.out_features)


class SilentDownsample(nn.Sequential):
    """The depth features' way into the head, shut."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(super().forward(x).detach())


def silence(head: FovHead, fov: str) -> None:
    """Shut one of the head's two inputs."""
    if fov == "depth features only":
        silent = Silent(head.encoder[1].in_features, head.encoder[1].out_features)  # type: ignore[union-attr, arg-type]
        silent.load_state_dict(head.encoder[1].state_dict())
        head.encoder[1] = silent
    elif fov == "own encoder only":
        head.downsample = SilentDownsample(*head.downsample)


def run(config: dict[str, Any], fov: str = "both") -> Path:
    """Train, unless that was done before; returns the weights."""
    checked = config_from(config)
    if not (checked.output / TRAINED).exists():
        with joined("auto") as processes:
            trainer = Trainer(checked, processes, TrainingData(checked, processes))
            if trainer.run.network.fov is not None:
                silence(trainer.run.network.fov, fov)
            trainer.train()
    return checked.output / TRAINED


@functools.cache
def scenes_of_the_table() -> SceneBatch:
    """Rendered once for all variants."""
    return render_scenes(SCENES, height=SIDE_PX, width=SIDE_PX)


def depth_scores(weights: Path) -> dict[str, float]:
    """Boundary F1, abs_rel after median scale and metric delta1, given the true focal length."""
    scenes = scenes_of_the_table()
    estimator = load_estimator(str(weights), precision="float32")
    rows: dict[str, list[float]] = {"boundary F1": [], "abs_rel, median scale": [], "delta1, metric": []}
    for index in range(len(SCENES)):
        predicted = estimator.predict(scenes.rgb[index], float(scenes.focal_px[index])).depth_m.cpu().numpy()
        truth = scenes.known_depth_m[index].numpy()
        rows["boundary F1"].append(boundary_f1(predicted, truth))
        rows["abs_rel, median scale"].append(score_depth(predicted, truth, align=True).abs_rel)
        rows["delta1, metric"].append(score_depth(predicted, truth).delta1)
    return {name: float(np.nanmean(values)) for name, values in rows.items()}


def focal_scores(weights: Path, fov: str) -> dict[str, float]:
    """Share of focal lengths within 25 % and 50 %."""
    scenes = scenes_of_the_table()
    estimator = load_estimator(str(weights), precision="float32")
    silence(estimator.network.fov, fov)  # type: ignore[attr-defined]
    estimated = [float(estimator.predict(rgb).focal_px) for rgb in scenes.rgb]
    scores = score_focals(estimated, scenes.focal_px.numpy())
    return {"within 25 %": scores.within_25, "within 50 %": scores.within_50}


def mean_scores(rows: Sequence[dict[str, float]]) -> list[str]:
    """Mean over the repeats, and their half range."""
    cells = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        spread = f" ± {(max(values) - min(values)) / 2:.3f}" if len(values) > 1 else ""
        cells.append(f"{statistics.fmean(values):.3f}{spread}")
    return cells


def table(first: str, rows: dict[str, list[dict[str, float]]]) -> str:
    """Markdown."""
    names = list(next(iter(rows.values()))[0])
    lines = ["| " + " | ".join([first, *names]) + " |", "|" + "---|" * (len(names) + 1)]
    return "\n".join(lines + ["| " + " | ".join([name, *mean_scores(values)]) + " |" for name, values in rows.items()])


def plot(folders: dict[str, Path], target: Path) -> None:
    """Metric delta1 of the validation images over the steps of the depth stages."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, folder in folders.items():
        points = [(r["step"], r["delta1"]) for r in validations(folder / "curve.jsonl")]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    axes.set_xlabel("steps")
    axes.set_ylabel("delta1 in metres, validation scenes")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(target, dpi=110)
    print(f"plot: {target}")


def main() -> None:
    """Train all variants and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("out/ablations"))
    parser.add_argument("--plot", type=Path, default=Path("out/ablations/curves.png"))
    parser.add_argument("--steps", type=int, default=500, help="steps of every depth variant (default: %(default)s)")
    parser.add_argument("--fov-steps", type=int, default=500, help="steps of every head (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=1, help="runs of each variant, with other seeds")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    base: dict[str, Any] = {
        "network": NETWORK,
        "ema": 0.98,
        "workers": args.workers,
        "checkpoint_every": 50,
        "datasets": {"scenes": {"type": "scenes"}},
        "validation": {"every": max(args.steps // 8, 1), "images": 48},
    }

    depth: dict[str, list[dict[str, float]]] = {}
    folders = {}
    for variant in DEPTH_VARIANTS:
        for repeat in range(args.repeats):
            output = variant.folder(args.output, repeat)
            size = {"steps": args.steps // len(variant.stages), "batch": args.batch}
            stages = [
                {"name": f"stage{number}", "losses": {"synthetic_metric": losses}, **size, **HOW}
                for number, losses in enumerate(variant.stages, 1)
            ]
            trained = run(base | {"output": str(output), "seed": repeat, "stages": stages})
            depth.setdefault(variant.name, []).append(depth_scores(trained))
            folders.setdefault(variant.name, output)

    focal: dict[str, list[dict[str, float]]] = {}
    for fov in FOV_VARIANTS:
        for repeat in range(args.repeats):
            start = DEPTH_VARIANTS[0].folder(args.output, repeat)
            output = args.output / f"focal-{fov.replace(' ', '-')}-{repeat}"
            head = {"name": "focal", "train": "fov", "steps": args.fov_steps, "batch": 4 * args.batch, **HOW}
            init = str(start / "best-stage2.safetensors")
            trained = run(base | {"output": str(output), "seed": repeat, "stages": [head], "init": init}, fov)
            focal.setdefault(fov, []).append(focal_scores(trained, fov))

    print(f"\nMachine: {machine(['cuda' if torch.cuda.is_available() else 'cpu'])}")
    print(
        f"{args.steps} steps of {args.batch} images, {SIDE_PX} px; heads {args.fov_steps} steps of {4 * args.batch}.\n"
    )
    print(table("depth", depth))
    print()
    print(table("field-of-view head", focal))
    plot(folders, args.plot)


if __name__ == "__main__":
    main()
