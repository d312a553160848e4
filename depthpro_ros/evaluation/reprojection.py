# SPDX-License-Identifier: Apache-2.0
"""Do two frames agree on the world, given where the camera was (after TAE of Chen et al. 2025, Video Depth Anything).

Unlike the published code, the nearest of the points that fall on one pixel counts, and what is behind something there
does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.clouds import back_project
from depthpro_ros.evaluation.masks import FloatMap, check_maps, usable

OCCLUDED = 1.05
"""A point that is this many times as far as what is seen on its pixel is behind it."""


@dataclass(frozen=True)
class View:
    """A frame with a known pose.

    Attributes:
        predicted_m: [H, W] metres.
        intrinsics: its camera.
        world_from_camera: float [4, 4], rotation and translation in metres, of the optical frame.
        truth_m: [H, W] metres, to tell what is hidden; without, the prediction has to.
    """

    predicted_m: FloatMap
    intrinsics: Intrinsics
    world_from_camera: NDArray[np.float64]
    truth_m: FloatMap | None = None

    def __post_init__(self) -> None:
        check_maps(self.predicted_m, self.truth_m)
        if self.world_from_camera.shape != (4, 4):
            raise InputError(f"pose of shape {list(self.world_from_camera.shape)}: expected [4, 4]")


@dataclass(frozen=True)
class Agreement:
    """How well two frames agree.

    Attributes:
        error: mean of |z - p| / p, with z the depth of one frame seen from the other, p that frame's own; mean of
            both ways, NaN if neither has a pixel to compare.
        pixels: how many were compared.
        hidden: how many points were left out as behind something.
    """

    error: float
    pixels: int
    hidden: int


def reprojection_error(a: View, b: View) -> Agreement:
    """Compare two frames, a seen from b and b seen from a.

    Without ground truth, a point that the other frame sees a nearer thing in front of may be hidden or may be wrong,
    and is left out; the same disagreement counts where it shows the other way round, as a point in front of what is
    seen. With ground truth, only pixels that are also measured are compared.
    """
    ways = [_one_way(a, b), _one_way(b, a)]
    errors = [way.error for way in ways if way.pixels]
    error = sum(errors) / len(errors) if errors else math.nan
    return Agreement(error, sum(way.pixels for way in ways), sum(way.hidden for way in ways))


def _one_way(source: View, target: View) -> Agreement:
    measured = source.truth_m is not None and target.truth_m is not None
    surface, front = (source.truth_m, target.truth_m) if measured else (source.predicted_m, target.predicted_m)
    assert surface is not None and front is not None
    compared = usable(source.predicted_m) & usable(surface)
    where, z = _seen(surface, compared, source, target)
    there = front.ravel()[where]
    lands = (where >= 0) & usable(there)
    hidden = lands & (z > OCCLUDED * np.where(lands, there, np.inf))
    visible = np.zeros(compared.shape, np.bool_)
    visible[compared] = lands & ~hidden
    where, z = _seen(source.predicted_m, visible, source, target)
    where, z = where[where >= 0], z[where >= 0]
    # written from far to near: the nearest stays
    order = np.argsort(-z)
    nearest = np.full(target.predicted_m.size, np.nan)
    nearest[where[order]] = z[order]
    own = target.predicted_m.ravel().astype(np.float64)
    both = usable(nearest) & usable(own)
    errors = np.abs(nearest[both] - own[both]) / own[both]
    error = float(errors.mean()) if len(errors) else math.nan
    return Agreement(error, len(errors), int(np.count_nonzero(hidden)))


def _seen(
    depth_m: FloatMap, mask: NDArray[np.bool_], source: View, target: View
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """On which pixel of the target, by its flat index, each masked pixel's point falls (-1: none), and how deep."""
    points = back_project(depth_m, source.intrinsics, mask)
    move = np.linalg.inv(target.world_from_camera) @ source.world_from_camera
    x, y, z = move[:3, :3] @ points.T + move[:3, 3:]
    i = target.intrinsics
    ahead = z > 0
    depth = np.where(ahead, z, 1.0)
    u, v = np.rint(x / depth * i.fx + i.cx), np.rint(y / depth * i.fy + i.cy)
    inside = ahead & (u >= 0) & (u < i.width) & (v >= 0) & (v < i.height)
    return np.where(inside, v * i.width + u, -1).astype(np.intp), z
