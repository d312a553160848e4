# SPDX-License-Identifier: Apache-2.0
"""Rendered scenes as a model up to scale would see them, with the scale that is true."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from depthpro_ros.camera import Intrinsics
from depthpro_ros.scale import GroundSettings, RangePoints
from depthpro_ros.scenes import render_scenes

SEEDS = (1, 4, 10, 11, 12, 17, 18, 21)
"""The first rooms, corridors and warehouses in which at least 15 % of the view is floor."""

HEIGHT_PX, WIDTH_PX = 96, 128


@dataclass(frozen=True)
class Scene:
    """One scene.

    Attributes:
        depth_m: float32 [H, W], NaN on glass and mirrors.
        d98_m: the 98th percentile of it: the true scale.
        intrinsics: of the image.
        ground: how the camera stands, as the scene has it.
    """

    depth_m: Tensor
    d98_m: float
    intrinsics: Intrinsics
    ground: GroundSettings

    def relative(self, *, noise: float = 0.0, outliers: float = 0.0) -> Tensor:
        """Depth over its 98th percentile, saturated at 1.

        Args:
            noise: standard deviation of the logarithm.
            outliers: share of pixels that are anything.
        """
        generator = torch.Generator().manual_seed(0)
        values = (self.depth_m / self.d98_m).clamp(max=1)
        values = values * torch.exp(noise * torch.randn(values.shape, generator=generator))
        wrong = torch.rand(values.shape, generator=generator) < outliers
        return torch.where(wrong, torch.rand(values.shape, generator=generator), values)


def points_on(depth_m: Tensor, camera: Intrinsics, border: int = 2) -> RangePoints:
    """A hundred points that a sensor measured of a scene, through the middles of pixels.

    Args:
        depth_m: float32 [H, W].
        camera: that sees it so.
        border: pixels at the image's edges that have none.
    """
    rng = np.random.default_rng(0)
    u, v = rng.integers(border, camera.width - border, 100), rng.integers(border, camera.height - border, 100)
    z = depth_m.numpy()[v, u]
    x, y = (u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z
    return RangePoints(np.stack([x, y, z], 1).astype(np.float32), 0.0)


@cache
def indoor_scenes() -> tuple[Scene, ...]:
    """The scenes of `SEEDS`."""
    batch = render_scenes(SEEDS, height=HEIGHT_PX, width=WIDTH_PX)
    assert batch.indoor.all()
    scenes = []
    for k, depth_m in enumerate(batch.known_depth_m):
        fx, (cx, cy) = float(batch.focal_px[k]), batch.principal_px[k].tolist()
        ground = GroundSettings(
            float(batch.camera_height_m[k]),
            pitch_deg=math.degrees(batch.pitch_rad[k]),
            roll_deg=math.degrees(batch.roll_rad[k]),
        )
        d98_m = float(depth_m[depth_m.isfinite()].quantile(0.98))
        scenes.append(Scene(depth_m, d98_m, Intrinsics(WIDTH_PX, HEIGHT_PX, fx, fx, cx, cy), ground))
    return tuple(scenes)
