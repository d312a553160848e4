# SPDX-License-Identifier: Apache-2.0
"""What the paper's ingredients are worth, on small equal budgets: `python -m benchmarks.ablations`.

As in the paper, transformers that have learned to see are given, and the question is what is built on them: the bundled
model's transformers are kept as they are, and a new decoder is trained on procedural scenes several times, each time
for the same number of steps and with one thing changed; likewise a new field-of-view head on the whole depth network.
It prints tables, and writes a plot of the validation curves.
"""

from __future__ import annotations

import argparse
import functools
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.learning_curve import validations
from depthpro_ros.evaluation.aggregate import aggregate
from depthpro_ros.evaluation.comparison import Row
from depthpro_ros.evaluation.focal import score_focals
from depthpro_ros.machine import machine
from depthpro_ros.models import load_estimator
from depthpro_ros.models.depth_pro import DepthPro
from depthpro_ros.models.depth_pro.fov import FovHead
from depthpro_ros.models.depth_pro.network import focal_from_fov
from depthpro_ros.models.depth_pro.weights import load_network, save_network
from depthpro_ros.models.registry import NANO_WEIGHTS
from depthpro_ros.scenes import SceneBatch, render_scenes
from depthpro_ros.training.config import config_from
from depthpro_ros.training.init import initialise
from depthpro_ros.training.processes import joined
from depthpro_ros.training.sources import TrainingData
from depthpro_ros.training.trainees import FovTrainee
from depthpro_ros.training.trainer import TRAINED, Trainer

SCENES = range(700_000, 700_096)
"""Scenes of the table: neither trained on, nor those of the model's report."""
SIDE_PX = 256
FIRST: dict[str, float] = {"log": 1, "mae": 0.5, "ssi_mage": 0.2}
FIRST_PLAIN: dict[str, float] = {"log": 1, "mae": 0.5}
SECOND: dict[str, float] = {"log": 1, "mae": 2, "mse": 2, "mage": 4, "male": 2, "msge": 4}
SECOND_PLAIN: dict[str, float] = {"log": 1, "mae": 2, "mse": 2}
"""As config/training/nano.yaml has them, and without what looks at derivatives."""


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
    Variant("two stages, no derivative losses", (FIRST_PLAIN, SECOND_PLAIN)),
    Variant("one stage, all losses", (SECOND,)),
)
OPTIMISER = {"kind": "muon", "lr_encoder": 1e-3, "lr_decoder": 2e-3, "betas": [0.9, 0.98], "clip": 1.0}
HOW: dict[str, Any] = {
    "schedule": {"kind": "cosine", "warmup": 0.05, "last": 0.05},
    "augment": {"blur": 0, "crop": 0},
}
"""What every stage has."""
FOV_VARIANTS = ("both", "own encoder only", "depth features only")

Scores = dict[str, list[float]]
"""Of each figure, the value of every scene of the table; NaN for none."""


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
        silent = Silent(head.encoder[1].in_features, head.encoder[1].out_features)  # type: ignore[arg-type]
        silent.load_state_dict(head.encoder[1].state_dict())
        head.encoder[1] = silent
    elif fov == "own encoder only":
        head.downsample = SilentDownsample(*head.downsample)


def forgetful(new: Literal["decoder", "head"], seed: int, folder: Path) -> Path:
    """The bundled network with random weights in all but its two transformers, or in its field-of-view head.

    Returns:
        Its file in `folder`.
    """
    trained = load_network(NANO_WEIGHTS).float()
    torch.manual_seed(seed)
    network = DepthPro(trained.config)
    initialise(network)
    transformers = ("encoder.patch_encoder.", "encoder.image_encoder.")
    kept = {
        name: value
        for name, value in trained.state_dict().items()
        if (name.startswith(transformers) if new == "decoder" else not name.startswith("fov."))
    }
    network.load_state_dict(kept, strict=False)
    path = folder / f"start-{new}-{seed}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    save_network(network, path, torch.float32)
    return path


def run(config: dict[str, Any], fov: str = "both") -> Path:
    """Train, unless that was done before; returns the weights. Ends the program if a signal stops the training."""
    checked = config_from(config)
    if not (checked.output / TRAINED).exists():
        with joined("auto") as processes:
            trainer = Trainer(checked, processes, TrainingData(checked, processes))
            if trainer.run.network.fov is not None:
                silence(trainer.run.network.fov, fov)
            trainer.train()
    if not (checked.output / TRAINED).exists():
        raise SystemExit(f"stopped in {checked.output}: the same command goes on from there")
    return checked.output / TRAINED


@functools.cache
def scenes_of_the_table() -> SceneBatch:
    """Rendered once for all variants."""
    return render_scenes(SCENES, height=SIDE_PX, width=SIDE_PX)


def depth_scores(weights: Path) -> Scores:
    """Boundary F1, abs_rel after median scale and metric delta1, given the true focal length."""
    scenes = scenes_of_the_table()
    estimator = load_estimator(str(weights), precision="float32")
    rows: Scores = {"boundary F1 ↑": [], "abs_rel, median scale ↓": [], "delta1, metric ↑": []}
    for index in range(len(SCENES)):
        predicted = estimator.predict(scenes.rgb[index], float(scenes.focal_px[index])).metres.cpu().numpy()
        row = Row.of(str(weights), predicted, scenes.known_depth_m[index].numpy())
        rows["boundary F1 ↑"].append(row.boundary_f1)
        rows["abs_rel, median scale ↓"].append(row.abs_rel)
        rows["delta1, metric ↑"].append(row.delta1)
    return rows


def focal_scores(weights: Path, fov: str) -> Scores:
    """The relative error of each focal length, and whether it is within 25 % and 50 %."""
    scenes = scenes_of_the_table()
    network = load_network(weights).float().eval()
    assert network.fov is not None
    silence(network.fov, fov)
    with torch.inference_mode():
        angles = [FovTrainee(network)(rgb[None])[0] for rgb in scenes.rgb]
    estimated = focal_from_fov(torch.stack(angles).clamp(1, 179), SIDE_PX).numpy()
    errors = np.array(score_focals(estimated, scenes.focal_px.numpy()).relative_errors)
    return {
        "within 25 % ↑": list((errors < 0.25).astype(float)),
        "within 50 % ↑": list((errors < 0.5).astype(float)),
        "relative error ↓": list(errors),
    }


def table(first: str, rows: dict[str, list[Scores]]) -> str:
    """Markdown: means over repeats and scenes, and by how much a row differs from the first, with its 95 % interval.

    Args:
        first: heading of the column of names.
        rows: of each variant the scores of its repeats.
    """
    means = {
        name: {figure: np.mean([repeat[figure] for repeat in repeats], axis=0) for figure in repeats[0]}
        for name, repeats in rows.items()
    }
    reference = next(iter(means.values()))
    lines = ["| " + " | ".join([first, *reference]) + " |", "|" + "---|" * (len(reference) + 1)]
    for name, figures in means.items():
        cells = []
        for figure, values in figures.items():
            by = aggregate(list(values - reference[figure]))
            than = "" if figures is reference else f" ({by.mean:+.3f}, {by.low:+.3f} to {by.high:+.3f})"
            cells.append(f"{np.nanmean(values):.3f}{than}")
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


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
    parser.add_argument("--steps", type=int, default=160, help="steps of every depth variant (default: %(default)s)")
    parser.add_argument("--fov-steps", type=int, default=240, help="steps of every head (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=1, help="runs of each variant, with other seeds")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    base: dict[str, Any] = {
        "ema": 0.98,
        "workers": args.workers,
        "checkpoint_every": 20,
        "datasets": {"scenes": {"type": "scenes"}},
        "validation": {"every": max(args.steps // 6, 1), "images": 32},
    }

    depth: dict[str, list[Scores]] = {}
    folders: dict[str, Path] = {}
    for repeat, variant in itertools.product(range(args.repeats), DEPTH_VARIANTS):
        output = variant.folder(args.output, repeat)
        stage = HOW | {
            "steps": args.steps // len(variant.stages),
            "batch": args.batch,
            "optimiser": OPTIMISER | {"lr_encoder": 0},
        }
        stages = [
            stage | {"name": f"stage{number}", "losses": {"synthetic_metric": losses}}
            for number, losses in enumerate(variant.stages, 1)
        ]
        start = forgetful("decoder", repeat, args.output)
        trained = run(base | {"output": str(output), "seed": repeat, "stages": stages, "init": str(start)})
        depth.setdefault(variant.name, []).append(depth_scores(trained))
        folders.setdefault(variant.name, output)

    focal: dict[str, list[Scores]] = {}
    for repeat, fov in itertools.product(range(args.repeats), FOV_VARIANTS):
        output = args.output / f"focal-{fov.replace(' ', '-')}-{repeat}"
        head = HOW | {
            "name": "focal",
            "train": "fov",
            "from_patch_encoder": True,
            "steps": args.fov_steps,
            "batch": 4 * args.batch,
            "optimiser": OPTIMISER,
        }
        start = forgetful("head", repeat, args.output)
        config = base | {"output": str(output), "seed": repeat, "stages": [head], "init": str(start)}
        focal.setdefault(fov, []).append(focal_scores(run(config, fov), fov))

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
