# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of one frame, counted and not measured: what the machine's matrix rate turns into a floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch.utils.flop_counter import FlopCounterMode

from depthpro_ros.models.depth_pro import DepthPro, DepthProConfig


class FrameWork(Protocol):
    """Floating-point operations of one frame of a published network."""

    @property
    def total(self) -> int:
        """Of all that it says."""
        ...

    @property
    def depth(self) -> int:
        """Of depth alone."""
        ...

    def stage(self, name: str) -> int:
        """Of one stage."""
        ...

    @property
    def floor(self) -> str:
        """What the floor is of, for a table's row."""
        ...

    @property
    def words(self) -> str:
        """How much it is."""
        ...


@dataclass(frozen=True)
class FrameFlops:
    """Floating-point operations of the published network for one image: a multiplication and an addition are two.

    Merging and cutting up change what is really computed by a few percent; a floor is always that of the published
    network, so that shortcuts show as speed.

    Attributes:
        patch_encoder: the 35 windows, with the first projection of the hooked blocks.
        image_encoder: the one window of the whole image.
        decoder: projections, and all levels but the finest.
        head: the finest level (from the enlarging before it) and the depth head.
        fov: the field-of-view network; 0 without one.
    """

    patch_encoder: int
    image_encoder: int
    decoder: int
    head: int
    fov: int

    @property
    def total(self) -> int:
        """Of depth and field of view."""
        return self.depth + self.fov

    @property
    def depth(self) -> int:
        """Where the focal length is known."""
        return self.patch_encoder + self.image_encoder + self.decoder + self.head

    def stage(self, name: str) -> int:
        """Of a stage as `MergedDepthPro` names it, such as "patch encoder"."""
        return int(getattr(self, name.replace(" ", "_")))

    @property
    def floor(self) -> str:
        """What the floor is of, for a table's row."""
        return "floor, depth and field of view"

    @property
    def words(self) -> str:
        """How much it is."""
        return f"{self.total / 1e12:.3f} TFLOP ({self.depth / 1e12:.3f} where the focal is known)"


def frame_flops(config: DepthProConfig) -> FrameFlops:
    """Count them, on torch's meta device: nothing is computed."""
    with torch.device("meta"), torch.no_grad():
        network = DepthPro(config).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, config.input_px, config.input_px))
    counts = counter.get_flop_counts()

    def of(module: str) -> int:
        return sum(counts.get(f"DepthPro.{module}", {}).values())

    narrowing = sum(of(f"encoder.upsample_latent{index}.0") for index in range(len(config.hooks)))
    patch_encoder = of("encoder.patch_encoder") + narrowing
    image_encoder = of("encoder.image_encoder")
    enlarging = of("decoder.fusions.1.deconv") + of("decoder.fusions.1.out_conv")
    finest = of("encoder.upsample_latent0") - of("encoder.upsample_latent0.0")
    head = enlarging + finest + of("decoder.fusions.0") + of("head")
    fov = of("fov")
    whole = sum(counts["Global"].values())
    return FrameFlops(patch_encoder, image_encoder, whole - patch_encoder - image_encoder - head - fov, head, fov)
