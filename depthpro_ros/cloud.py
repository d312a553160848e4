# SPDX-License-Identifier: Apache-2.0
"""Depth to points, packed as sensor_msgs/PointCloud2 wants them, on the device that the depth is on.

A point is 16 bytes: x, y, z float32 metres in the optical frame (REP 103: x right, y down, z forward), and
`rgb`, a float32 whose bits are 0x00RRGGBB.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np
import torch
from torch import Tensor

from depthpro_ros.camera import Intrinsics

POINT_STEP = 16
ROWS_AT_ONCE = 32


class Projector:
    """Back-projects depth maps of one camera; the ray grid is made once.

    Args:
        intrinsics: camera of the full depth map.
        stride: take every `stride`-th pixel of every `stride`-th row.
        device: where the depth maps are.
    """

    def __init__(self, intrinsics: Intrinsics, stride: int, device: torch.device) -> None:
        self.intrinsics, self.stride, self.device = intrinsics, stride, device
        i = intrinsics
        u = torch.arange(0, i.width, stride, dtype=torch.float64)
        v = torch.arange(0, i.height, stride, dtype=torch.float64)
        self._x = ((u - i.cx) / i.fx).float().to(device)[None, :]
        self._y = ((v - i.cy) / i.fy).float().to(device)[:, None]

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the organised cloud."""
        return len(self._y), self._x.shape[1]

    def pack(
        self, depth_m: Tensor, rgb: Tensor | None, out: Tensor | None = None, untrusted: Tensor | None = None
    ) -> Tensor:
        """Organised cloud of a depth map: X = (u - cx) Z / fx, Y = (v - cy) Z / fy.

        Args:
            depth_m: float32 [H, W]; a pixel that is not finite becomes a point of NaN.
            rgb: uint8 [H, W, 3], or None for black points.
            out: float32 [h, w, 4] to write into.
            untrusted: bool [H, W]; these pixels become points of NaN too.

        Returns:
            float32 [h, w, 4], `out` if given.
        """
        every = slice(None, None, self.stride)
        depth_m, rgb = depth_m[every, every], None if rgb is None else rgb[every, every]
        if out is None:
            out = torch.empty((*self.shape, 4), dtype=torch.float32, device=self.device)
        colours = torch.zeros_like(depth_m) if rgb is None else _packed_colours(rgb)
        # a CPU keeps the planes of a few rows in its cache; a GPU wants everything at once
        step = ROWS_AT_ONCE if self.device.type == "cpu" else len(depth_m)
        for top in range(0, len(depth_m), step):
            rows = slice(top, top + step)
            z = depth_m[rows]
            if untrusted is not None:
                z = z.masked_fill(untrusted[every, every][rows], torch.nan)
            z = z + z * 0  # z * 0 is 0 where z is finite and NaN elsewhere
            _interleave((z * self._x, z * self._y[rows], z, colours[rows]), out[rows])
        return out


def _packed_colours(rgb: Tensor) -> Tensor:
    """uint8 [h, w, 3] to float32 [h, w], whose bits are 0x00RRGGBB."""
    if rgb.device.type == "cpu" and sys.byteorder == "little":
        pixels = cv2.cvtColor(np.ascontiguousarray(rgb.numpy()), cv2.COLOR_RGB2BGRA)
        words = torch.from_numpy(pixels).view(torch.int32)[..., 0].bitwise_and_(0x00FFFFFF)
    else:
        red, green, blue = rgb.int().unbind(-1)
        words = red.bitwise_left_shift_(16).bitwise_or_(green.bitwise_left_shift_(8)).bitwise_or_(blue)
    return words.contiguous().view(torch.float32)


def _interleave(planes: tuple[Tensor, ...], out: Tensor) -> None:
    """Four [h, w] planes into [h, w, 4]."""
    if out.device.type == "cpu":
        # OpenCV stores four lanes at once, torch one after another: half the time
        cv2.merge([plane.numpy() for plane in planes], dst=out.numpy())
    else:
        torch.stack(planes, -1, out=out)


def finite_points(cloud: Tensor) -> Tensor:
    """The finite points of an organised cloud: [h, w, 4] to [N, 4], in row-major order."""
    flat = cloud.view(-1, 4)
    return flat[torch.isfinite(flat[:, 2])]
