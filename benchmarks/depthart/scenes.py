# SPDX-License-Identifier: Apache-2.0
"""The images of the comparison: a pool to train on, prepared once, and held-out scenes to score on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from depthpro_ros.evaluation.held_out import held_out_frames
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.relative import decode_depth
from depthpro_ros.training.config_stage import Augmentation
from depthpro_ros.training.data.mixture import Source, StepData
from depthpro_ros.training.data.scenes import SceneSet
from depthpro_ros.training.depthart.samples import FARTHEST_M, Samples, depth_image, prepare

AUGMENTATION = Augmentation(crop=0.0, flip=0.5, colour=0.75, blur=0.1)
AT_ONCE = 64


@dataclass(frozen=True)
class Pool:
    """Training images, with the encoder's features and the true depth's latent.

    Attributes:
        samples: all of them.
        mean_map: float32 [S, S], the mean (of the code) of their relative depth: what a predictor says that looks at
            no image.
    """

    samples: Samples
    mean_map: Tensor

    def batch(self, generator: torch.Generator, size: int) -> Samples:
        """Some of them, drawn without replacement by a generator on the CPU."""
        chosen = torch.randperm(len(self.samples), generator=generator)[:size].to(self.mean_map.device)
        return self.samples.map(lambda tensor: tensor[chosen])


@dataclass(frozen=True)
class HeldOut:
    """Scenes that nothing is trained on.

    Attributes:
        rgb: uint8 [N, H, W, 3].
        features: [N, P, C] of the encoder.
        depth_m: float32 [N, H, W], NaN where it is unknown, and beyond `FARTHEST_M`.
    """

    rgb: Tensor
    features: Tensor
    depth_m: Tensor

    def __len__(self) -> int:
        return len(self.rgb)

    def parts(self) -> Iterator[slice]:
        """All of them, some at a time."""
        for first in range(0, len(self), AT_ONCE):
            yield slice(first, min(first + AT_ONCE, len(self)))


@torch.no_grad()
def make_pool(model: DepthArt, images: int, seed: int) -> Pool:
    """Render and prepare training images; others for each seed."""
    device = next(model.parameters()).device
    data = StepData(
        [Source(SceneSet(device=device), "synthetic_metric")],
        size_px=model.config.tokenizer.image_px,
        batch=AT_ONCE,
        rates=AUGMENTATION,
        seed=seed,
        stage=100,
    )
    parts: list[Samples] = []
    side = model.config.tokenizer.image_px
    total = torch.zeros(side, side, device=device)
    for step in range(images // AT_ONCE):
        batch = data[step].to(device)
        parts.append(prepare(batch, model, features=True))
        total += depth_image(batch, model)[0].mean(1).sum(0)
    features = torch.cat([part.features for part in parts if part.features is not None])
    samples = Samples(None, features, torch.cat([part.latent for part in parts]))
    return Pool(samples, decode_depth(total / len(samples), model.config.depth_code))


def shared_pool(model: DepthArt, images: int, seed: int, folder: Path) -> Pool:
    """`make_pool`, kept in a file, so that processes that share a comparison make each pool once.

    Args:
        model, images, seed: see `make_pool`.
        folder: for the files; a pool of another start must not be in it.
    """
    path, lock = folder / f"pool-{seed}.pt", folder / f"pool-{seed}.lock"
    folder.mkdir(parents=True, exist_ok=True)
    device = next(model.parameters()).device
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        while not path.exists():
            if not lock.exists():
                return shared_pool(model, images, seed, folder)
            time.sleep(1.0)
        features, latent, mean_map = torch.load(path, map_location=device, weights_only=True)
        return Pool(Samples(None, features, latent), mean_map)
    try:
        pool = make_pool(model, images, seed)
        partial = path.with_suffix(".partial")
        torch.save((pool.samples.features, pool.samples.latent, pool.mean_map), partial)
        partial.replace(path)
    except BaseException:
        lock.unlink()
        raise
    return pool


@torch.no_grad()
def make_held_out(model: DepthArt, seeds: range) -> HeldOut:
    """Render held-out scenes at the size that all models here are reported at."""
    device = next(model.parameters()).device
    rgb, depth, features = [], [], []
    for frames, _ in held_out_frames(seeds):
        images = torch.stack([torch.from_numpy(frame.rgb) for frame in frames]).to(device)
        metres = torch.stack([torch.from_numpy(frame.depth_m) for frame in frames]).to(device)
        rgb.append(images)
        depth.append(torch.where(metres <= FARTHEST_M, metres, torch.nan))
        features.append(model.features(images))
    return HeldOut(torch.cat(rgb), torch.cat(features), torch.cat(depth))
