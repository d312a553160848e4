# SPDX-License-Identifier: Apache-2.0
"""The scale from sparse measured points: a lidar, a depth sensor of few pixels, a map's landmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.scale.estimate import Gates, NoScale, ScaleEstimate, robust_scale
from depthpro_ros.scale.samples import MAX_SAMPLES, check_camera

EDGE_RATIO = 1.1
"""Where the farthest of 3 x 3 pixels is this many times the nearest, the point may belong to either side of an edge."""

MIN_DEPTH_M = 1e-3
"""Nearer points are in the lens: projected, they could be anywhere."""


@dataclass(frozen=True)
class RangePoints:
    """Measured points.

    Attributes:
        xyz_m: float32 [N, 3], metres in the camera's optical frame (x right, y down, z forward); rows that are not
            finite, or behind the camera, are left out where they are used.
        stamp_s: when they were measured, seconds.

    Raises:
        InputError: not [N, 3], or a stamp that is not finite.
    """

    xyz_m: NDArray[np.float32]
    stamp_s: float

    def __post_init__(self) -> None:
        check_points(self.xyz_m, self.stamp_s)


def check_points(xyz_m: NDArray[np.float32], stamp_s: float) -> None:
    """Raise InputError unless points are [N, 3] and their stamp is finite."""
    if xyz_m.ndim != 2 or xyz_m.shape[1] != 3:
        raise InputError(f"points have the shape {list(xyz_m.shape)}, expected [N, 3] (x, y, z in metres)")
    if not math.isfinite(stamp_s):
        raise InputError(f"stamp of the points is {stamp_s}, expected finite seconds")


def scale_from_ranges(
    relative: Tensor, intrinsics: Intrinsics, points: RangePoints, gates: Gates | None = None
) -> ScaleEstimate:
    """The median of measured over relative z-depth, at the pixels that points project to.

    Points beside the image, behind the camera or at depth edges are left out; those that the camera does not see,
    because it is not where the sensor is, are outliers that the median forgives.

    Args:
        relative: float [H, W], on any device; NaN where there is none.
        intrinsics: of the same image, without distortion.
        points: of about the same time; more than `MAX_SAMPLES` in view are thinned out.
        gates: what the scale must fulfil; None takes the defaults. A sensor of few beams needs a lower `min_inliers`.

    Raises:
        InputError: intrinsics of another size.
        NoScale: too few points in view, or they contradict each other.
    """
    check_camera(relative, intrinsics)
    gates = gates or Gates()
    u, v, xyz_m = project(points.xyz_m, intrinsics)
    if len(u) < gates.min_inliers:
        raise NoScale(
            f"only {len(u)} of {len(points.xyz_m)} measured points are in view, expected at least {gates.min_inliers}: "
            "check the extrinsics"
        )
    taken = evenly(len(u), MAX_SAMPLES)
    p = relative_at(relative, u[taken], v[taken])
    return robust_scale(p, xyz_m[taken, 2], source="ranges", gates=gates, what="measured points")


def project(
    xyz_m: NDArray[np.floating[Any]], intrinsics: Intrinsics
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Where points [N, 3] of the optical frame are in the image.

    Returns:
        u, v [M], pixels, and the points [M, 3] themselves: those that are finite, before the camera and in the image.
    """
    i = intrinsics
    points = xyz_m[np.isfinite(xyz_m).all(1)].astype(np.float64)
    points = points[points[:, 2] > MIN_DEPTH_M]
    u = i.fx * points[:, 0] / points[:, 2] + i.cx
    v = i.fy * points[:, 1] / points[:, 2] + i.cy
    seen = (u >= -0.5) & (u < i.width - 0.5) & (v >= -0.5) & (v < i.height - 0.5)
    return u[seen], v[seen], points[seen]


def relative_at(relative: Tensor, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative depth between pixels, bilinear, NaN at depth edges and where one of the 3 x 3 pixels has none.

    Args:
        relative: float [H, W], on any device.
        u, v: [N], pixels, inside the image.

    Returns:
        float64 [N].
    """
    height, width = relative.shape
    x, y = np.rint(u).astype(np.int64), np.rint(v).astype(np.int64)
    steps = np.arange(-1, 2)
    rows = np.clip(y[:, None] + steps, 0, height - 1)[:, :, None]
    columns = np.clip(x[:, None] + steps, 0, width - 1)[:, None, :]
    index = torch.from_numpy(rows * width + columns).to(relative.device)
    around = relative.detach().reshape(-1)[index].to(torch.float32).cpu().numpy().astype(np.float64)
    low, high = around.min((1, 2)), around.max((1, 2))
    # outside the image the border's pixels are repeated, as are the weights of a bilinear look-up
    value = np.einsum("nyx,ny,nx->n", np.nan_to_num(around), _weights(v - y), _weights(u - x))
    with np.errstate(invalid="ignore"):
        return np.where((low > 0) & (high < EDGE_RATIO * low), value, np.nan)


def evenly(count: int, at_most: int) -> slice:
    """Evenly spaced ones of `count`, no more than `at_most`."""
    return slice(None, None, max(1, -(-count // at_most)))


def _weights(offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bilinear weights [N, 3] of the pixels at -1, 0 and 1 for offsets [N] from -0.5 to 0.5."""
    return np.stack([np.maximum(-offset, 0), 1 - np.abs(offset), np.maximum(offset, 0)], axis=1)
