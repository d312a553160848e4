# SPDX-License-Identifier: Apache-2.0
"""Few pixels that stand for a map: all that has to come to the host."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError

MAX_SAMPLES = 4000
"""More pixels make a median no better: neighbours have the same errors."""


@dataclass(frozen=True)
class Grid:
    """Every `stride`-th pixel of every `stride`-th row, starting with pixel (first_x, first_y)."""

    stride: int
    first_x: int
    first_y: int

    def values(self, of: Tensor) -> NDArray[np.float32]:
        """The grid's pixels of a map [H, W], float32 [h, w] on the host, a copy."""
        few = of.detach()[self.first_y :: self.stride, self.first_x :: self.stride]
        return np.array(few.to(torch.float32).cpu().numpy())

    def rays(self, intrinsics: Intrinsics) -> NDArray[np.float32]:
        """The directions (x / z, y / z, 1) of the grid's pixels, float32 [h, w, 3]."""
        i = intrinsics
        x = (np.arange(self.first_x, i.width, self.stride) - i.cx) / i.fx
        y = (np.arange(self.first_y, i.height, self.stride) - i.cy) / i.fy
        rays = np.ones((len(y), len(x), 3), np.float32)
        rays[..., 0] = x
        rays[..., 1] = y[:, None]
        return rays


def sample_grid(height: int, width: int, at_most: int) -> Grid:
    """The densest even grid of at most `at_most` pixels of a map, in its middle."""
    stride = max(1, math.isqrt(height * width // at_most))
    while -(-height // stride) * -(-width // stride) > at_most:
        stride += 1
    return Grid(stride, _first(width, stride), _first(height, stride))


def check_map(name: str, values: Tensor) -> None:
    """Raise InputError unless a tensor is one map of numbers [H, W]."""
    if not isinstance(values, Tensor) or values.ndim != 2 or not values.is_floating_point() or 0 in values.shape:
        found = f"{values.dtype} {list(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
        raise InputError(f"{name} must be a floating point tensor [H, W] that is not empty, it is {found}")


def check_camera(relative: Tensor, intrinsics: Intrinsics) -> None:
    """Raise InputError unless intrinsics are of the image that the map [H, W] is of."""
    check_map("relative", relative)
    height, width = relative.shape
    if (intrinsics.width, intrinsics.height) != (width, height):
        raise InputError(
            f"intrinsics are for {intrinsics.width}x{intrinsics.height} images, relative depth is {width}x{height}: "
            "resize the intrinsics with it"
        )


def _first(size: int, stride: int) -> int:
    return ((size - 1) % stride) // 2
