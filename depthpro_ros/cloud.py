# SPDX-License-Identifier: Apache-2.0
"""Depth to points, packed as sensor_msgs/PointCloud2 wants them, on the device that the depth is on.

A point is 16 bytes: x, y, z float32 metres in the optical frame (REP 103: x right, y down, z forward), and
`rgb`, a float32 whose bits are 0x00RRGGBB.
"""

from __future__ import annotations

import torch
from torch import Tensor

from depthpro_ros import host
from depthpro_ros.camera import Intrinsics

POINT_STEP = 16


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
        self,
        depth_m: Tensor,
        rgb: Tensor | None,
        out: Tensor | None = None,
        untrusted: Tensor | None = None,
        far_m: float | None = None,
    ) -> Tensor:
        """Organised cloud of a depth map: X = (u - cx) Z / fx, Y = (v - cy) Z / fy.

        Args:
            depth_m: float32 [H, W]; a pixel that is not finite becomes a point of NaN.
            rgb: uint8 [H, W, 3], or None for black points.
            out: float32 [h, w, 4] to write into.
            untrusted: bool [H, W]; these pixels become points of NaN too.
            far_m: farther pixels, those at +Inf included, become points of this depth on their rays; None leaves
                them as they are.

        Returns:
            float32 [h, w, 4], `out` if given.
        """
        every = slice(None, None, self.stride)
        depth_m, rgb = depth_m[every, every], None if rgb is None else rgb[every, every]
        if out is None:
            out = torch.empty((*self.shape, 4), dtype=torch.float32, device=self.device)
        if self.device.type == "cpu" and out.is_contiguous():
            mask = None if untrusted is None else untrusted[every, every].numpy()
            pixels = None if rgb is None else rgb.numpy()
            host.pack(depth_m.numpy(), pixels, self._x.numpy(), self._y.numpy(), out.numpy(), mask, far_m)
            return out
        z = depth_m if far_m is None else depth_m.clamp(max=far_m)  # which leaves NaN
        z = z if untrusted is None else z.masked_fill(untrusted[every, every], torch.nan)
        # z * 0 is 0 where z is finite and NaN elsewhere; one pass, no mask
        torch.add(z, z * 0, out=out[..., 2])
        torch.mul(out[..., 2], self._x, out=out[..., 0])
        torch.mul(out[..., 2], self._y, out=out[..., 1])
        colour = out.view(torch.int32)[..., 3]
        if rgb is None:
            colour.zero_()
        else:
            torch.bitwise_left_shift(rgb[..., 0].int(), 16, out=colour)
            colour.bitwise_or_(rgb[..., 1].int().bitwise_left_shift_(8)).bitwise_or_(rgb[..., 2])
        return out


def finite_points(cloud: Tensor) -> Tensor:
    """The finite points of an organised cloud: [h, w, 4] to [N, 4], in row-major order."""
    flat = cloud.view(-1, 4)
    return flat[torch.isfinite(flat[:, 2])]
