# SPDX-License-Identifier: Apache-2.0
"""Train `depth_pro_nano` on procedural scenes: `python -m depthpro_ros.training.nano --help`.

Three phases: what can be seen of depth in the whole image as one window; the whole depth network; and the
field-of-view head with the depth network frozen (arXiv 2410.02073, section 3.4). The run stops at a given
time, checkpoints, and continues where it stopped when started again.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from depthpro_ros.models.depth_pro import DepthPro, DepthProConfig
from depthpro_ros.models.depth_pro.network import normalise
from depthpro_ros.models.depth_pro.weights import load_network, save_network
from depthpro_ros.models.vit import ViTConfig
from depthpro_ros.scenes import SceneBatch, layout_from_seed, render_layouts
from depthpro_ros.training.init import TYPICAL_CANONICAL_INVERSE_DEPTH, initialise

NANO = DepthProConfig(
    window_px=64,
    patch_px=8,
    patch_encoder=ViTConfig(dim=128, depth=6, heads=4),
    image_encoder=ViTConfig(dim=128, depth=6, heads=4),
    fov_encoder=ViTConfig(dim=128, depth=4, heads=4),
    hooks=(2,),
    latent_dims=(32,),
    pyramid_dims=(32, 64, 64),
    decoder_dim=32,
    antialias=True,
)
FIRST_TRAINING_SEED = 1_000_000
"""Seeds below are kept for held-out scenes."""
FAR_CANONICAL = 0.02
"""Canonical inverse depth of about 50 m: nearer things count by their ratio, farther ones less."""


@dataclass(frozen=True)
class Phase:
    """One part of the curriculum.

    Attributes:
        name: `global` trains the two transformers on the image as one window, at a fifteenth of the cost of
            the whole network, `depth` the whole depth network, `fov` the field-of-view head alone.
        share: part of the time.
        lr: highest learning rate.
        width_px: width of the rendered images.
        batch: images a step.
        fresh: of four steps, how many see scenes that were never seen before.
    """

    name: Literal["global", "depth", "fov"]
    share: float
    lr: float
    width_px: int
    batch: int
    fresh: int


PHASES = (
    Phase("global", 0.45, 1e-3, NANO.window_px, 24, 1),
    Phase("depth", 0.43, 6e-4, NANO.input_px, 4, 2),
    Phase("fov", 0.12, 1e-3, NANO.window_px, 48, 1),
)
ASPECTS = (0.75, 0.75, 1.0, 0.5625)
"""Image heights over widths: the network always sees a square, cameras seldom are one."""


@dataclass(frozen=True)
class Sample:
    """A batch for training: rgb uint8 [B,H,W,3], target C [B,H,W] (0 for sky), fov_deg [B]."""

    rgb: Tensor
    canonical: Tensor
    fov_deg: Tensor

    @classmethod
    def of(cls, scenes: SceneBatch) -> Sample:
        width = scenes.rgb.shape[2]
        scale = (scenes.focal_px / width).view(-1, 1, 1)
        fov = torch.rad2deg(2 * torch.atan(0.5 * width / scenes.focal_px))
        return cls(scenes.rgb, scale / scenes.depth_m, fov)


class SampleStore:
    """Freshly rendered scenes and some seen before: rendering costs as much as a training step.

    Args:
        seed: first scene seed; scenes are taken in order, so `drawn` tells where a run stands.
        device: where scenes are rendered.
        capacity: images kept for reuse.
    """

    def __init__(self, seed: int, device: torch.device, capacity: int = 20_000) -> None:
        self.drawn = 0
        self.first_seed, self._device, self._capacity = seed, device, capacity
        self._kept: list[Sample] = []

    def batch(self, step: int, phase: Phase) -> Sample:
        """The images of one step, of one size."""
        if self._kept and self._kept[0].rgb.shape[2] != phase.width_px:
            self._kept.clear()
        if step % 4 >= phase.fresh and len(self._kept) >= 8:
            return self._kept[int(torch.randint(len(self._kept), ()))]
        first = self.first_seed + self.drawn
        self.drawn += phase.batch
        height = round(phase.width_px * ASPECTS[(self.drawn // phase.batch) % len(ASPECTS)])
        layouts = [layout_from_seed(seed) for seed in range(first, first + phase.batch)]
        at_once = phase.batch if phase.width_px < 128 else None
        sample = Sample.of(
            render_layouts(layouts, height=height, width=phase.width_px, device=self._device, at_once=at_once)
        )
        self._kept.append(sample)
        if len(self._kept) * phase.batch > self._capacity * 64 / phase.width_px:
            self._kept.pop(int(torch.randint(len(self._kept), ())))
        return sample


def augment(sample: Sample) -> Sample:
    """Mirror, and change brightness, contrast and colour balance, at random."""
    rgb, canonical = sample.rgb.float(), sample.canonical
    if torch.rand(()) < 0.5:
        rgb, canonical = rgb.flip(2), canonical.flip(2)
    gain = 1 + 0.2 * torch.randn(len(rgb), 1, 1, 3, device=rgb.device) * torch.rand((), device=rgb.device)
    offset = 16 * torch.randn(len(rgb), 1, 1, 1, device=rgb.device)
    return Sample((rgb * gain + offset).clamp(0, 255).byte(), canonical, sample.fov_deg)


def log_canonical(value: Tensor) -> Tensor:
    """log(C + far), continued below zero by its tangent, so that a negative output keeps a gradient."""
    positive = value.clamp(min=0)
    return torch.log(positive + FAR_CANONICAL) + (value - positive) / FAR_CANONICAL


def depth_loss(raw: Tensor, target: Tensor) -> Tensor:
    """Half the error of log canonical inverse depth, half the relative error of depth, and the slopes' error.

    The error of the logarithm weighs too near and too far alike; that of depth, |d' - d| / d, is what abs_rel
    measures, and grows without bound for what is seen too far, at the edges of near things above all. (The
    relative error of inverse depth would do the opposite: no prediction of zero costs more than 1, so a
    network that cannot tell predicts too far.)

    Args:
        raw: the head's output before its last ReLU [B, 1, h, w]: a unit below zero keeps its gradient.
        target: C [B, H, W], 0 for sky. Negative output is right there.
    """
    predicted = F.interpolate(raw.float(), target.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    predicted = torch.where(target > 0, predicted, predicted.clamp(min=0))
    error = log_canonical(predicted) - log_canonical(target)
    # d' / d = exp(-error); beyond 7 times too far the logarithm's gradient is enough
    relative = torch.expm1(-error.clamp(min=-2)).abs()
    loss = 0.5 * (error.abs() + relative).mean()
    for step in (1, 4):
        for dim in (1, 2):
            size = error.shape[dim] - step
            slope = error.narrow(dim, step, size) - error.narrow(dim, 0, size)
            loss = loss + 0.1 * slope.abs().mean()
    return loss


def global_step(network: DepthPro, probe: nn.Module, sample: Sample) -> Tensor:
    """Loss of the coarsest level alone, read off the first fusion block by `probe`, a 1x1 convolution."""
    features = network.global_features(normalise(sample.rgb, network.config.window_px, network.config.antialias))
    return depth_loss(probe(network.decoder.fusions[-1](features)), sample.canonical)


def depth_step(network: DepthPro, sample: Sample) -> Tensor:
    """Loss of the depth network."""
    image = normalise(sample.rgb, network.config.input_px, network.config.antialias)
    features, _ = network.encoder(image.contiguous(memory_format=torch.channels_last))
    decoded, _ = network.decoder(features)
    return depth_loss(network.head[:-1](decoded), sample.canonical)


def fov_step(network: DepthPro, sample: Sample) -> Tensor:
    """Loss of the field-of-view head: squared error of the angle, in units of 10 degrees.

    The head looks at the global level alone, so the other windows are not computed.
    """
    assert network.fov is not None
    quarter = normalise(sample.rgb, network.config.window_px, network.config.antialias)
    with torch.no_grad():
        lowres = network.global_features(quarter)
    return F.mse_loss(network.fov(quarter, lowres).float() / 10, sample.fov_deg / 10)


def learning_rate(progress: float, peak: float) -> float:
    """Linear warm-up over the first 3 %, then a cosine down to 2 % of the peak."""
    if progress < 0.03:
        return peak * (progress + 1e-3) / 0.031
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))


def parameter_groups(parameters: Iterable[nn.Parameter]) -> list[dict[str, object]]:
    """Weight decay for matrices only."""
    every = list(parameters)
    return [
        {"params": [p for p in every if p.ndim > 1], "weight_decay": 0.02},
        {"params": [p for p in every if p.ndim <= 1], "weight_decay": 0.0},
    ]


def phase_at(progress: float) -> tuple[Phase, float]:
    """The phase at this share of the whole time, and how much of it is over."""
    start = 0.0
    for phase in PHASES:
        if progress < start + phase.share or phase is PHASES[-1]:
            return phase, (progress - start) / phase.share
        start += phase.share
    raise AssertionError("PHASES is empty")


@dataclass
class Run:
    """All that a checkpoint holds, and what a step changes."""

    network: DepthPro
    probe: nn.Conv2d
    store: SampleStore
    step: int = 0
    spent_s: float = 0.0

    def __post_init__(self) -> None:
        assert self.network.fov is not None
        fov = list(self.network.fov.parameters())
        # by identity, since `in` compares tensors by value; in order, since an optimiser's state goes by position
        of_fov = {id(p) for p in fov}
        depth = [p for p in self.network.parameters() if id(p) not in of_fov]
        groups = {"global": [*depth, *self.probe.parameters()], "depth": depth, "fov": fov}
        self.parameters = groups
        self.optimisers = {
            name: torch.optim.AdamW(parameter_groups(group), lr=1e-3, betas=(0.9, 0.98))
            for name, group in groups.items()
        }

    def save(self, path: Path) -> None:
        """Write a checkpoint beside the last one and swap them, so that a broken write costs nothing."""
        state = {
            "network": self.network.state_dict(),
            "probe": self.probe.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "step": self.step,
            "spent_s": self.spent_s,
            "drawn": self.store.drawn,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def load(self, path: Path, device: torch.device) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, map_location=device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.probe.load_state_dict(state["probe"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        self.step, self.spent_s, self.store.drawn = state["step"], state["spent_s"], state["drawn"]

    def loss(self, phase: Phase, sample: Sample) -> Tensor:
        """The loss that a phase lowers."""
        if phase.name == "global":
            return global_step(self.network, self.probe, sample)
        return (depth_step if phase.name == "depth" else fov_step)(self.network, sample)


def start(device: torch.device, seed: int = 0) -> Run:
    """A network that knows nothing; another seed sees other scenes."""
    network = DepthPro(NANO)
    initialise(network)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    probe = nn.Conv2d(NANO.decoder_dim, 1, 1).to(device)
    nn.init.constant_(probe.bias, TYPICAL_CANONICAL_INVERSE_DEPTH)  # type: ignore[arg-type]
    return Run(network, probe, SampleStore(FIRST_TRAINING_SEED * (1 + seed), device))


def train(args: argparse.Namespace) -> None:
    """Run until `--minutes` of this and earlier runs are used up."""
    device = torch.device(args.device)
    torch.manual_seed(args.seed)
    run = start(device, args.seed)
    if args.init is not None and not args.checkpoint.exists():
        run.network.load_state_dict(load_network(args.init).float().state_dict())
    if args.checkpoint.exists():
        run.load(args.checkpoint, device)
        torch.manual_seed(args.seed + run.step)
        print(f"resumed at step {run.step} after {run.spent_s / 60:.1f} min", flush=True)

    # on a CPU, the fused attention's backward in bfloat16 is four times as slow as the plain formula's
    attention = [SDPBackend.MATH]
    if device.type != "cpu":
        attention = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
    running, last, phase = 0.0, time.monotonic(), PHASES[0]
    while run.spent_s < args.minutes * 60:
        before = phase
        phase, progress = phase_at(run.spent_s / (args.minutes * 60))
        optimiser = run.optimisers[phase.name]
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(progress, phase.lr)
        sample = augment(run.store.batch(run.step, phase))
        with torch.autocast(device.type, torch.bfloat16), sdpa_kernel(attention):
            loss = run.loss(phase, sample)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(run.parameters[phase.name], args.clip)
        optimiser.step()
        run.step += 1
        now = time.monotonic()
        # a paused process (SIGSTOP) must not use up its budget
        run.spent_s += min(now - last, 30.0)
        last = now
        running = loss.item() if phase is not before or run.step == 1 else 0.98 * running + 0.02 * loss.item()
        if run.step % args.log_every == 0:
            print(
                f"{phase.name} step {run.step} loss {running:.4f} lr {group['lr']:.2e} {run.spent_s / 60:.1f} min "
                f"{run.store.drawn} scenes",
                flush=True,
            )
        if run.step % args.save_every == 0:
            run.save(args.checkpoint)
    run.save(args.checkpoint)


def export(checkpoint: Path, target: Path) -> None:
    """Write a checkpoint's network in the form that `load_estimator` reads, in float16."""
    network = DepthPro(NANO)
    network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["network"])
    save_network(network, target)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=Path("out/nano/checkpoint.pt"))
    parser.add_argument("--minutes", type=float, default=90, help="training time over all runs")
    parser.add_argument("--init", type=Path, help="start from this .safetensors instead of from nothing")
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument("--save-every", type=int, default=200)
    parser.add_argument("--export", type=Path, help="write the checkpoint's network to this .safetensors and stop")
    arguments = parser.parse_args()
    if arguments.export:
        export(arguments.checkpoint, arguments.export)
    else:
        train(arguments)


if __name__ == "__main__":
    main()
