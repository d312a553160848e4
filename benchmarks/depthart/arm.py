# SPDX-License-Identifier: Apache-2.0
"""One arm with one seed: trained from the common start, and scored."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.depthart.scenes import HeldOut, Pool
from depthpro_ros.models.depthart.folded import FoldedTransformer
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.relative import encode_depth, far_depth, fill_unknown
from depthpro_ros.models.depthart.rollout import Rollout, chooser, roll_out
from depthpro_ros.models.depthart.sampling import DecodingSettings
from depthpro_ros.training.depthart.arms import arm_loss
from depthpro_ros.training.depthart.config import ArtSchedule
from depthpro_ros.training.depthart.figures import aligned_figures
from depthpro_ros.training.depthart.regression import Readout, regression_loss
from depthpro_ros.training.depthart.stage_run import rate_factor
from depthpro_ros.training.depthart.trainees import relative_depth

ArmName = Literal["regression", "var", "depthart", "corrupt"]
ARM_NAMES: tuple[ArmName, ...] = ("regression", "var", "depthart", "corrupt")
DECODERS = {"argmax": DecodingSettings("argmax"), "sampled": DecodingSettings("sampled", samples=5)}
WATCHED = 64
"""Held-out scenes that the learning curves are made of."""


@dataclass(frozen=True)
class Settings:
    """What all arms share.

    Attributes:
        steps, batch: of each arm, after the common start.
        lr, weight_decay, clip: of AdamW, with a cosine schedule.
        watch_every: steps between points of the learning curve.
    """

    steps: int = 400
    batch: int = 32
    lr: float = 3e-4
    weight_decay: float = 0.02
    clip: float = 1.0
    watch_every: int = 50


@dataclass(frozen=True)
class Score:
    """One decoder's figures.

    Attributes:
        abs_rel, delta1: of each held-out scene, aligned by the median of ratios.
        abs_rel_of_scale: mean over scenes after each scale; empty for regression.
        entropy_of_scale: nats, likewise.
    """

    abs_rel: tuple[float, ...]
    delta1: tuple[float, ...]
    abs_rel_of_scale: tuple[float, ...] = ()
    entropy_of_scale: tuple[float, ...] = ()


@dataclass(frozen=True)
class ArmResult:
    """One arm with one seed.

    Attributes:
        arm, seed, settings: which.
        scores: by decoder; regression has one, `argmax`.
        curve: (step, abs_rel by argmax on the first `WATCHED` scenes).
        seconds: of training alone.
    """

    arm: str
    seed: int
    settings: Settings
    scores: dict[str, Score]
    curve: tuple[tuple[int, float], ...]
    seconds: float

    def write(self, path: Path) -> None:
        """As JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self)))
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> ArmResult:
        """What `write` wrote."""
        raw = json.loads(path.read_text())
        scores = {name: Score(**{k: tuple(v) for k, v in score.items()}) for name, score in raw["scores"].items()}
        curve = tuple((int(step), float(value)) for step, value in raw["curve"])
        return cls(raw["arm"], raw["seed"], Settings(**raw["settings"]), scores, curve, raw["seconds"])


def train_arm(
    arm: ArmName, seed: int, start: DepthArt, readout: Readout, pool: Pool, held_out: HeldOut, settings: Settings
) -> tuple[DepthArt, ArmResult]:
    """Train one arm from the common start.

    Args:
        arm, seed: which; the seed decides on data and draws.
        start, readout: common to all; not changed.
        pool, held_out: the images.
        settings: shared by all arms.

    Returns:
        The trained model, and its scores.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model, reader = copy.deepcopy(start), copy.deepcopy(readout)
    model.requires_grad_(False)
    trained = [p.requires_grad_(True) for n, p in model.transformer.named_parameters() if not n.startswith("encoder.")]
    if arm == "regression":
        trained += [p.requires_grad_(True) for p in reader.parameters()]
    optimiser = torch.optim.AdamW(trained, lr=settings.lr, betas=(0.9, 0.98), weight_decay=settings.weight_decay)
    schedule = ArtSchedule()
    curve = [(0, _watched(arm, model, reader, held_out))]
    seconds = 0.0
    for step in range(settings.steps):
        began = time.perf_counter()
        samples = pool.batch(generator, settings.batch)
        loss, _ = regression_loss(reader, model, samples) if arm == "regression" else arm_loss(arm, model, samples)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, settings.clip)
        for group in optimiser.param_groups:
            group["lr"] = settings.lr * rate_factor(schedule, step, settings.steps)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        seconds += time.perf_counter() - began
        if (step + 1) % settings.watch_every == 0:
            curve.append((step + 1, _watched(arm, model, reader, held_out)))
            print(
                f"{arm} {seed} step {step + 1}: loss {float(loss.detach()):.3f}, abs_rel {curve[-1][1]:.3f}", flush=True
            )
    if arm == "regression":
        scores = {"argmax": score_regression(model, reader, held_out)}
    else:
        scores = {name: score_decoder(model, decoding, held_out) for name, decoding in DECODERS.items()}
    return model, ArmResult(arm, seed, settings, scores, tuple(curve), seconds)


@torch.no_grad()
def score_decoder(model: DepthArt, decoding: DecodingSettings, held_out: HeldOut, count: int | None = None) -> Score:
    """Score a model on the held-out scenes, after every scale."""
    folded = FoldedTransformer(model.transformer, torch.float32)
    quantiser = model.tokenizer.quantize
    rows: list[list[Tensor]] = []
    delta1, entropy = [], []
    for part in _parts(held_out, count):
        choose = chooser(quantiser, decoding, held_out.features.device)
        said: Rollout = roll_out(folded, quantiser, folded.prefix(held_out.features[part]), choose, want_entropy=True)
        each = [_figures(model, latent, held_out, part) for latent in said.latents]
        rows.append([figures["abs_rel"] for figures in each])
        delta1.append(each[-1]["delta1"])
        entropy.append(torch.stack(said.entropy))
    by_scale = [torch.cat(column) for column in zip(*rows, strict=True)]
    return Score(
        tuple(by_scale[-1].tolist()),
        tuple(torch.cat(delta1).tolist()),
        tuple(float(column.nanmean()) for column in by_scale),
        tuple(torch.cat(entropy, dim=1).mean(1).tolist()),
    )


@torch.no_grad()
def score_regression(model: DepthArt, readout: Readout, held_out: HeldOut, count: int | None = None) -> Score:
    """Score direct regression."""
    each = [
        _figures(model, readout.latent(model, held_out.features[part]), held_out, part)
        for part in _parts(held_out, count)
    ]
    return _score(each)


@torch.no_grad()
def score_map(relative: Tensor, held_out: HeldOut) -> Score:
    """Score one map [S, S] for all scenes."""
    each = []
    for part in held_out.parts():
        truth = held_out.depth_m[part]
        each.append(aligned_figures(_at_size(relative.expand(len(truth), -1, -1), truth), truth, truth.isfinite()))
    return _score(each)


@torch.no_grad()
def score_tokenizer(model: DepthArt, held_out: HeldOut) -> Score:
    """The truth at the model's size, as its tokens tell it: about what tokens can say at best."""
    each = []
    side = model.config.tokenizer.image_px
    for part in held_out.parts():
        truth = held_out.depth_m[part]
        valid = truth.isfinite()
        code = encode_depth(truth.nan_to_num(1.0), far_depth(truth, valid), model.config.depth_code)
        image = F.interpolate(fill_unknown(code, valid)[:, None], (side, side), mode="area").expand(-1, 3, -1, -1)
        latent = model.tokenizer.quantize.walk(model.tokenizer.encode(image)).latent
        each.append(_figures(model, latent, held_out, part))
    return _score(each)


def _score(each: list[dict[str, Tensor]]) -> Score:
    abs_rel, delta1 = (torch.cat([figures[name] for figures in each]) for name in ("abs_rel", "delta1"))
    return Score(tuple(abs_rel.tolist()), tuple(delta1.tolist()))


def _watched(arm: ArmName, model: DepthArt, readout: Readout, held_out: HeldOut) -> float:
    if arm == "regression":
        score = score_regression(model, readout, held_out, WATCHED)
    else:
        score = score_decoder(model, DECODERS["argmax"], held_out, WATCHED)
    return float(torch.tensor(score.abs_rel).nanmean())


def _parts(held_out: HeldOut, count: int | None) -> list[slice]:
    return [part for part in held_out.parts() if count is None or part.start < count]


def _figures(model: DepthArt, latent: Tensor, held_out: HeldOut, part: slice) -> dict[str, Tensor]:
    truth = held_out.depth_m[part]
    return aligned_figures(_at_size(relative_depth(model, latent), truth), truth, truth.isfinite())


def _at_size(relative: Tensor, truth: Tensor) -> Tensor:
    return F.interpolate(relative[:, None], truth.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
