# SPDX-License-Identifier: Apache-2.0
"""Nav2's voxel layer and obstacle layer (navigation2, branches humble to main): which points mark and which clear.

A source's cloud is brought into the map's frame and cut to the source's heights, for marking and for clearing; a
comparison with NaN is false, so such points are gone. Clearing comes before marking. A clearing ray goes from the
sensor to the point, less two cells, clipped to the grid and to raytrace_max_range; in the voxel layer it frees the
voxels on it, and a column is free once none is marked; in the obstacle layer it frees every cell below it. A sensor
outside of the grid clears nothing. Points outside of obstacle_min_range and obstacle_max_range, or the layer's
heights, do not mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .rays import along


@dataclass
class Layer:
    """A layer over a square window of the map; x and y from `origin_m`, in metres.

    Attributes:
        parameters: of the layer, those of its sources among them.
        is_voxels: a VoxelLayer; else an ObstacleLayer, which has no height.
        marked: bool [x, y, z].
    """

    parameters: Mapping[str, Any]
    is_voxels: bool = True
    resolution: float = 0.05
    origin_m: tuple[float, float] = (-1.0, -4.0)
    cells: int = 160
    marked: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Empty, and nothing unknown."""
        self.marked = np.zeros((self.cells, self.cells, self.parameters["z_voxels"] if self.is_voxels else 1), bool)

    def update(self, cloud: np.ndarray, sensor: np.ndarray) -> None:
        """A cloud [N, 3] in the map's frame that all sources receive, and where its sensor is."""
        sources = [self.parameters[name] for name in self.parameters["observation_sources"].split()]
        for source in sources:
            if source.get("clearing", False):
                self._clear(self._within_heights(cloud, source), sensor, source)
        for source in sources:
            if source.get("marking", True):
                self._mark(self._within_heights(cloud, source), sensor, source)

    def lethal(self, x: float, y: float) -> bool:
        """Whether the cell at a place is an obstacle."""
        i, j, _ = self._index(np.array([[x, y, 0.0]]))[0]
        return bool(self.marked[i, j].any())

    def lethal_cells_m(self) -> np.ndarray:
        """Centres of all cells that are obstacles, [N, 2]."""
        return (np.argwhere(self.marked.any(-1)) + 0.5) * self.resolution + self.origin_m

    def mark_column(self, x: float, y: float, low: float, high: float) -> None:
        """An obstacle from earlier."""
        heights = np.arange(low, high, 0.5 * self._steps[2])
        index = self._index(np.array([[x, y, z] for z in heights]))
        self.marked[tuple(index.T)] = True

    @staticmethod
    def _within_heights(cloud: np.ndarray, source: Mapping[str, Any]) -> np.ndarray:
        low, high = source.get("min_obstacle_height", 0.0), source.get("max_obstacle_height", 0.0)
        with np.errstate(invalid="ignore"):
            return cloud[(cloud[:, 2] >= low) & (cloud[:, 2] <= high)]

    @property
    def _steps(self) -> np.ndarray:
        return np.array([self.resolution, self.resolution, self.parameters["z_resolution"] if self.is_voxels else 1e9])

    @property
    def _corner(self) -> np.ndarray:
        return np.array([*self.origin_m, self.parameters["origin_z"] if self.is_voxels else -5e8])

    def _index(self, points: np.ndarray) -> np.ndarray:
        return np.floor((points - self._corner) / self._steps).astype(int)

    def _inside(self, index: np.ndarray) -> np.ndarray:
        return ((index >= 0) & (index < self.marked.shape)).all(-1)

    def _mark(self, cloud: np.ndarray, sensor: np.ndarray, source: Mapping[str, Any]) -> None:
        axes = slice(0, 3 if self.is_voxels else 2)
        distance = np.linalg.norm((cloud - sensor)[:, axes], axis=1)
        low, high = source.get("obstacle_min_range", 0.0), source.get("obstacle_max_range", 2.5)
        heights = self.parameters.get("min_obstacle_height", 0.0), self.parameters.get("max_obstacle_height", 2.0)
        near = cloud[(distance >= low) & (distance < high) & (cloud[:, 2] >= heights[0]) & (cloud[:, 2] <= heights[1])]
        index = self._index(near)
        self.marked[tuple(index[self._inside(index)].T)] = True

    def _clear(self, cloud: np.ndarray, sensor: np.ndarray, source: Mapping[str, Any]) -> None:
        if not self._inside(self._index(sensor[None]))[0]:
            return
        ray = cloud - sensor
        axes = slice(0, 3 if self.is_voxels else 2)
        distance = np.linalg.norm(ray[:, axes], axis=1)
        shortened = np.maximum(distance - (2 * self.resolution if self.is_voxels else 0.0), 0.0)
        reach = np.minimum(shortened, source.get("raytrace_max_range", 3.0))
        # a step of a third of a cell misses none but corners
        step, start = self.resolution / 3, source.get("raytrace_min_range", 0.0)
        for place in along(ray, distance, reach, step=step, start=start):
            index = self._index(place + sensor)
            self.marked[tuple(index[self._inside(index)].T)] = False
