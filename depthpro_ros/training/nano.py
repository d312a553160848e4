# SPDX-License-Identifier: Apache-2.0
"""Train `depth_pro_nano` on procedural scenes: `python -m depthpro_ros.training.nano --help`.

Depth first, then the field-of-view head with the depth network frozen (arXiv 2410.02073, section 3.4).
The run stops at a given time, checkpoints, and continues where it stopped when started again.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from depthpro_ros.models.depth_pro import DepthPro, DepthProConfig
from depthpro_ros.models.depth_pro.network import normalise
from depthpro_ros.models.depth_pro.weights import save_network
from depthpro_ros.models.vit import ViTConfig
from depthpro_ros.scenes import SceneBatch, render_scenes
from depthpro_ros.training.init import initialise

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
WIDTH_PX = 256
HEIGHTS_PX = (192, 192, 256, 144)
"""Image heights drawn for training: the network always sees a square, cameras seldom are one."""
FIRST_TRAINING_SEED = 1_000_000
"""Seeds below are kept for held-out scenes."""
FAR_CANONICAL = 0.02
"""Canonical inverse depth of about 50 m: nearer things count by their ratio, farther ones less."""


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
        capacity: batches kept for reuse.
        fresh: of four batches, how many are rendered anew.
    """

    def __init__(self, seed: int, device: torch.device, capacity: int = 500, fresh: int = 2) -> None:
        self.drawn = 0
        self._seed, self._device, self._capacity, self._fresh = seed, device, capacity, fresh
        self._kept: list[Sample] = []

    def batch(self, step: int, size: int) -> Sample:
        """The batch of one step; every second pass over a kept scene is mirrored by `augment`."""
        if step % 4 >= self._fresh and len(self._kept) > 20:
            return self._kept[int(torch.randint(len(self._kept), ()))]
        first = self._seed + self.drawn
        self.drawn += size
        height = HEIGHTS_PX[(self.drawn // size) % len(HEIGHTS_PX)]
        sample = Sample.of(
            render_scenes(range(first, first + size), height=height, width=WIDTH_PX, device=self._device)
        )
        self._kept.append(sample)
        if len(self._kept) > self._capacity:
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
    """Mean absolute error of log canonical inverse depth, plus that of its slopes at two scales.

    The error of the logarithm weighs too near and too far alike. (Relative error, |C - T| / T, does not: no
    prediction of zero costs more than 1, so a network that cannot tell predicts too far.)

    Args:
        raw: the head's output before its last ReLU [B, 1, h, w]: a unit below zero keeps its gradient.
        target: C [B, H, W], 0 for sky. Negative output is right there.
    """
    predicted = F.interpolate(raw.float(), target.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    predicted = torch.where(target > 0, predicted, predicted.clamp(min=0))
    error = log_canonical(predicted) - log_canonical(target)
    loss = error.abs().mean()
    for step in (1, 4):
        for dim in (1, 2):
            size = error.shape[dim] - step
            slope = error.narrow(dim, step, size) - error.narrow(dim, 0, size)
            loss = loss + 0.1 * slope.abs().mean()
    return loss


def depth_step(network: DepthPro, sample: Sample) -> Tensor:
    """Loss of the depth network on a batch."""
    image = normalise(sample.rgb, network.config.input_px, network.config.antialias)
    features, _ = network.encoder(image.contiguous(memory_format=torch.channels_last))
    decoded, _ = network.decoder(features)
    return depth_loss(network.head[:-1](decoded), sample.canonical)


def fov_step(network: DepthPro, sample: Sample) -> Tensor:
    """Loss of the field-of-view head: squared error of the angle in degrees.

    The head looks at the global level alone, so the full and half resolution windows are not computed.
    """
    assert network.fov is not None
    image = normalise(sample.rgb, network.config.input_px, network.config.antialias)
    with torch.no_grad():
        lowres, quarter = network.global_features(image)
    return F.mse_loss(network.fov(quarter, lowres).float(), sample.fov_deg)


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


def train(args: argparse.Namespace) -> None:
    """Run until `--minutes` of this and earlier runs are used up, or `--steps` are done."""
    device = torch.device(args.device)
    torch.manual_seed(args.seed)
    if args.threads:
        torch.set_num_threads(args.threads)
    network = DepthPro(NANO)
    initialise(network)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    fov = network.fov
    assert fov is not None
    fov_parameters = set(fov.parameters())
    depth_parameters = [p for p in network.parameters() if p not in fov_parameters]
    optimisers = {
        "depth": torch.optim.AdamW(parameter_groups(depth_parameters), lr=args.lr, betas=(0.9, 0.98)),
        "fov": torch.optim.AdamW(parameter_groups(fov.parameters()), lr=args.lr, betas=(0.9, 0.98)),
    }
    store = SampleStore(FIRST_TRAINING_SEED, device)
    step, spent = 0, 0.0
    if args.checkpoint.exists():
        state = torch.load(args.checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        for name, optimiser in optimisers.items():
            optimiser.load_state_dict(state[name])
        step, spent, store.drawn = state["step"], state["spent"], state["drawn"]
        print(f"resumed at step {step} after {spent / 60:.1f} min, {store.drawn} scenes drawn", flush=True)

    # on a CPU, the fused attention's backward in bfloat16 is four times as slow as the plain formula's
    attention = (
        [SDPBackend.MATH]
        if device.type == "cpu"
        else [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
    )
    budget = args.minutes * 60
    running = 0.0
    last = time.monotonic()
    while spent < budget:
        progress = spent / budget
        phase = "depth" if progress < 1 - args.fov_share else "fov"
        share = args.fov_share if phase == "fov" else 1 - args.fov_share
        start = 1 - args.fov_share if phase == "fov" else 0.0
        optimiser = optimisers[phase]
        for group in optimiser.param_groups:
            group["lr"] = learning_rate((progress - start) / share, args.lr)
        sample = augment(store.batch(step, args.batch))
        with torch.autocast(device.type, torch.bfloat16), sdpa_kernel(attention):
            loss = depth_step(network, sample) if phase == "depth" else fov_step(network, sample)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(depth_parameters if phase == "depth" else fov.parameters(), args.clip)
        optimiser.step()
        step += 1
        now = time.monotonic()
        # a paused process (SIGSTOP) must not use up its budget
        spent += min(now - last, 30.0)
        last = now
        running = loss.item() if step == 1 else 0.98 * running + 0.02 * loss.item()
        if step % args.log_every == 0:
            rate = group["lr"]
            print(
                f"{phase} step {step} loss {running:.4f} lr {rate:.2e} {spent / 60:.1f} min {store.drawn} scenes",
                flush=True,
            )
        if step % args.save_every == 0:
            save(args.checkpoint, network, optimisers, step, spent, store.drawn)
    save(args.checkpoint, network, optimisers, step, spent, store.drawn)


def save(
    path: Path,
    network: DepthPro,
    optimisers: dict[str, torch.optim.AdamW],
    step: int,
    spent: float,
    drawn: int,
) -> None:
    """Write a checkpoint beside the last one and swap them, so that a broken write costs nothing."""
    state = {"network": network.state_dict(), "step": step, "spent": spent, "drawn": drawn}
    state |= {name: optimiser.state_dict() for name, optimiser in optimisers.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


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
    parser.add_argument("--fov-share", type=float, default=0.12, help="last part of it, for the focal head")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--lr", type=float, default=8e-4)
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
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
