# SPDX-License-Identifier: Apache-2.0
"""Images on their way to the network: uploaded as bytes, brought to its size on its device."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


class Uploader:
    """Brings images to a device; to a GPU through page-locked memory that is used again, on a stream of its own.

    Args:
        device: where to.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._staging: dict[tuple[int, ...], Tensor] = {}
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._copied: torch.cuda.Event | None = None

    def __call__(self, image: NDArray[np.uint8] | Tensor) -> Tensor:
        """uint8 of any shape, to the same on the device; on a CPU it shares the memory."""
        source = image if isinstance(image, Tensor) else torch.from_numpy(np.require(image, requirements=["C", "W"]))
        if self._stream is None or source.device.type != "cpu":
            return source.to(self.device)
        staging = self._staging.get(tuple(source.shape))
        if staging is None:
            if len(self._staging) >= _SHAPES:
                self._staging.clear()
            staging = self._staging[tuple(source.shape)] = torch.empty(source.shape, dtype=torch.uint8, pin_memory=True)
        if self._copied is not None:
            self._copied.synchronize()  # the copy before may still read the same memory
        staging.copy_(source)
        with torch.cuda.stream(self._stream):
            uploaded = staging.to(self.device, non_blocking=True)
            self._copied = self._stream.record_event()
        current = torch.cuda.current_stream(self.device)
        current.wait_event(self._copied)
        uploaded.record_stream(current)
        return uploaded


_SHAPES = 16
"""Image sizes that page-locked memory is kept for."""


def network_input(rgb: Tensor, side_px: int, scale: float, dtype: torch.dtype, antialias: bool = False) -> Tensor:
    """Images squashed to the network's square input.

    Resizing and scaling commute, and scaling to [-1, 1] is part of the merged network, so bytes are resized.

    Args:
        rgb: uint8 [B, H, W, 3].
        side_px: side of the network's input.
        scale: what [0, 255] is multiplied with.
        antialias: low-pass when shrinking (the published network does not).

    Returns:
        [B, 3, side_px, side_px], stored channels-last.
    """
    image = rgb.permute(0, 3, 1, 2).float()
    if image.shape[-2:] != (side_px, side_px):
        image = F.interpolate(image, (side_px, side_px), mode="bilinear", align_corners=False, antialias=antialias)
    return image.mul_(scale).to(dtype, memory_format=torch.channels_last)
