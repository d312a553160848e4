# SPDX-License-Identifier: Apache-2.0
"""Rendered scenes whose geometry is known in numbers, and where their cameras are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from depthpro_ros.scenes import Camera, Layout, Room, Solid, render_layouts
from depthpro_ros.scenes.raycast import BOX

HEIGHT, WIDTH = 240, 640
SKY_M = 1e4
"""What Depth Pro says of the sky."""
ROOM = Room(0.0, -1.2, 14.0, 1.3, 2.6)
"""The corridor, along x."""
BOX_MIDDLE, BOX_HALF = (3.0, -0.8, 0.4), (0.2, 0.3, 0.4)
"""The box that stands on open ground."""


@dataclass(frozen=True, eq=False)
class Scene:
    """An image and its exact depth; the camera looks along the level, so pitch and roll are 0.

    Attributes:
        rgb: uint8 [H, W, 3].
        depth_m: float32 [H, W].
        k: nine numbers, row by row.
        camera: in the world: x forward where its yaw is 0, y left, z up.
    """

    rgb: np.ndarray
    depth_m: np.ndarray
    k: list[float]
    camera: Camera

    @property
    def sensor(self) -> np.ndarray:
        """Where the camera is in the world, [3]."""
        return np.array([self.camera.x_m, self.camera.y_m, self.camera.height_m])

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """Points [N, 3] of the optical frame (REP 103: x right, y down, z forward) in the world."""
        ahead, left, up = points[:, 2], -points[:, 0], -points[:, 1]
        cos, sin = math.cos(self.camera.yaw_rad), math.sin(self.camera.yaw_rad)
        return np.stack([cos * ahead - sin * left, sin * ahead + cos * left, up], -1) + self.sensor


def render(layout: Layout) -> Scene:
    """A layout as Depth Pro, if it made no errors, would see it."""
    batch = render_layouts([layout], height=HEIGHT, width=WIDTH)
    (cx, cy), f = batch.principal_px[0].tolist(), float(batch.focal_px[0])
    depth = np.minimum(batch.depth_m[0].numpy(), np.float32(SKY_M))
    return Scene(batch.rgb[0].numpy(), depth, [f, 0.0, cx, 0.0, f, cy, 0.0, 0.0, 1.0], layout.camera)


def corridor() -> Scene:
    """An empty corridor, looked along a little to the left."""
    return render(Layout(Camera(1.0, 0.0, 0.6, yaw_rad=0.15, hfov_rad=math.radians(80)), room=ROOM))


def box_on_open_ground() -> Scene:
    """A box on the ground under the sky, seen from half a metre."""
    box = Solid(BOX, BOX_MIDDLE, BOX_HALF)
    return render(Layout(Camera(0.0, 0.0, 0.5, hfov_rad=math.radians(80)), solids=(box,)))


def distance_to_walls(x: float, y: float, angle: np.ndarray) -> np.ndarray:
    """From a place inside `ROOM` to its walls, in directions of the world: the nearer of the two walls ahead."""
    cos, sin = np.cos(angle), np.sin(angle)
    with np.errstate(divide="ignore"):
        along = np.where(cos > 0, ROOM.x1_m - x, ROOM.x0_m - x) / cos
        across = np.where(sin > 0, ROOM.y1_m - y, ROOM.y0_m - y) / sin
    return np.minimum(along, across)
