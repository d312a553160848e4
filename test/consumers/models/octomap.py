# SPDX-License-Identifier: Apache-2.0
"""octomap_server 2.1 (branch ros2): what one cloud makes free and occupied.

A pass-through filter on x, y and z removes points that are not finite. A point within max_range frees the voxels on
its ray and occupies its own; one that is farther frees those up to max_range and occupies none. A voxel that one
point occupies is not freed by another of the same cloud.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .rays import along

_HALF = 1 << 15


@dataclass(frozen=True, eq=False)
class Update:
    """Voxels by a number that holds their index, sorted; the index times the resolution is the lower corner."""

    resolution: float
    free: np.ndarray
    occupied: np.ndarray

    def state(self, x: float, y: float, z: float) -> str:
        """What a place is after this cloud: free, occupied, or unknown."""
        number = _numbers(np.array([[x, y, z]]), self.resolution)
        return "occupied" if np.isin(number, self.occupied) else "free" if np.isin(number, self.free) else "unknown"

    @property
    def occupied_m(self) -> np.ndarray:
        """Centres of the occupied voxels, [N, 3]."""
        index = np.stack([self.occupied >> shift & 0xFFFF for shift in (32, 16, 0)], -1) - _HALF
        return (index + 0.5) * self.resolution


def insert(cloud: np.ndarray, sensor: np.ndarray, *, resolution: float, max_range: float) -> Update:
    """A cloud [N, 3] in the map's frame into an empty map."""
    points = cloud[np.isfinite(cloud).all(-1)]
    ray = points - sensor
    distance = np.linalg.norm(ray, axis=1)
    reach = np.minimum(distance, max_range)
    on_rays = [_numbers(place + sensor, resolution) for place in along(ray, distance, reach, step=resolution / 3)]
    occupied = _numbers(points[distance <= max_range], resolution)
    return Update(resolution, np.setdiff1d(np.concatenate(on_rays), occupied), occupied)


def _numbers(points: np.ndarray, resolution: float) -> np.ndarray:
    index = np.floor(points / resolution).astype(np.int64) + _HALF
    return np.unique(index[:, 0] << 32 | index[:, 1] << 16 | index[:, 2])
