# SPDX-License-Identifier: Apache-2.0
"""One frame of DepthART, cut into stages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.models.depthart.inference import DepthArtNetwork
from depthpro_ros.models.depthart.rollout import chooser, roll_out

ENCODE, FIRST_SCALE, LATER_SCALES, DECODE = STAGES = ("encode", "first scale", "later scales", "decode")
"""The image to its quantised latent; the image and the start token through the transformer; the other scales; depth."""


def depthart_picture(side_px: int) -> NDArray[np.uint8]:
    """Noise, uint8 [side, side, 3]."""
    return np.random.default_rng(0).integers(0, 256, (side_px, side_px, 3), np.uint8)


def marked_frame(network: DepthArtNetwork, rgb: NDArray[np.uint8]) -> Callable[[Callable[[str], None]], Tensor]:
    """A frame that tells when each of `STAGES` is done.

    Args:
        network: whose decoding makes one rollout.
        rgb: uint8 [H, W, 3].
    """

    def frame(mark: Callable[[str], None]) -> Tensor:
        features = network.features(network.squares(torch.from_numpy(rgb)[None].to(network.device)))
        mark(ENCODE)
        choose = chooser(network.quantiser, network.decoding, network.device)

        def watched(scale: int, logits: Tensor) -> tuple[Tensor, Tensor]:
            chosen = choose(scale, logits)
            if not scale:
                mark(FIRST_SCALE)
            return chosen

        prefix = network.transformer.prefix(features)
        said = roll_out(network.transformer, network.quantiser, prefix, watched)
        mark(LATER_SCALES)
        relative = network.relative(said.latents[-1])
        mark(DECODE)
        return relative

    return frame
