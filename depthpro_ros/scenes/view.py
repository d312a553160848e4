# SPDX-License-Identifier: Apache-2.0
"""The image a camera makes: its size, focal length and principal point, and a ray for every pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from depthpro_ros.scenes.layout import Camera
from depthpro_ros.scenes.raycast import RAYS
from depthpro_ros.scenes.shading import rows

_TILE_PX = math.isqrt(RAYS)


@dataclass(frozen=True)
class View:
    """Image size in pixels, and fy / fx."""

    height: int
    width: int
    pixel_aspect: float = 1.0

    @property
    def tiles(self) -> tuple[int, int]:
        """Rows and columns of square tiles that cover the image."""
        return -(-self.height // _TILE_PX), -(-self.width // _TILE_PX)

    def focal_px(self, camera: Camera) -> float:
        """Horizontal focal length."""
        return 0.5 * self.width / math.tan(0.5 * camera.hfov_rad)

    def principal_px(self, camera: Camera) -> tuple[float, float]:
        """Principal point (cx, cy), pixel centres at integers."""
        down = camera.principal_y * self.width * self.pixel_aspect
        return 0.5 * (self.width - 1) + camera.principal_x * self.width, 0.5 * (self.height - 1) + down

    def rays(self, cameras: Sequence[Camera], device: torch.device) -> torch.Tensor:
        """World directions with depth 1, tile by tile: float32 [3, B, rays]."""
        tile_rows, tile_columns = self.tiles
        y_px = torch.arange(tile_rows * _TILE_PX, device=device, dtype=torch.float32).view(tile_rows, 1, _TILE_PX, 1)
        x_px = torch.arange(tile_columns * _TILE_PX, device=device, dtype=torch.float32).view(
            1, tile_columns, 1, _TILE_PX
        )
        shape = (tile_rows, tile_columns, _TILE_PX, _TILE_PX)
        focal = rows(device, [(self.focal_px(c),) for c in cameras])[0]
        cx, cy = rows(device, [self.principal_px(c) for c in cameras])
        x = (x_px.expand(shape).flatten() - cx) / focal
        y = (y_px.expand(shape).flatten() - cy) / (focal * self.pixel_aspect)
        turn = rows(device, [tuple(world_from_optical(c).flatten()) for c in cameras])
        return torch.stack([turn[3 * k] * x + turn[3 * k + 1] * y + turn[3 * k + 2] for k in range(3)])

    def image(self, values: torch.Tensor) -> torch.Tensor:
        """Values of rays [..., rays] as an image [..., H, W]."""
        tile_rows, tile_columns = self.tiles
        grid = values.unflatten(-1, (tile_rows, tile_columns, _TILE_PX, _TILE_PX)).transpose(-3, -2)
        return grid.flatten(-2).flatten(-3, -2)[..., : self.height, : self.width]


def world_from_optical(camera: Camera) -> np.ndarray:
    """Rotation [3, 3]: columns are the optical x (right), y (down), z (forward) in the world (REP 103)."""
    c = camera
    cos_pitch, sin_pitch = math.cos(c.pitch_rad), math.sin(c.pitch_rad)
    forward = np.array([cos_pitch * math.cos(c.yaw_rad), cos_pitch * math.sin(c.yaw_rad), -sin_pitch])
    level_right = np.array([math.sin(c.yaw_rad), -math.cos(c.yaw_rad), 0.0])
    level_down = np.cross(forward, level_right)
    cos_roll, sin_roll = math.cos(c.roll_rad), math.sin(c.roll_rad)
    right = cos_roll * level_right + sin_roll * level_down
    down = cos_roll * level_down - sin_roll * level_right
    return np.stack([right, down, forward], axis=1)
