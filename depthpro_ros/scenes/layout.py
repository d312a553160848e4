# SPDX-License-Identifier: Apache-2.0
"""A scene as numbers: camera, solids, materials and lights.

World frame: x and y level, z up, ground or floor at z = 0. Units are metres and radians.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from depthpro_ros.scenes.holes import WHOLE, Holes
from depthpro_ros.scenes.textures import Material

Colour = tuple[float, float, float]
MAX_SOLIDS = 400


@dataclass(frozen=True)
class Camera:
    """Camera pose: yaw 0 looks along +x, pitch > 0 down, roll > 0 turns its x (right) to its y (down).

    The principal point lies `principal_x`, `principal_y` image widths right of and below the image's middle.
    """

    x_m: float = 0.0
    y_m: float = 0.0
    height_m: float = 1.0
    yaw_rad: float = 0.0
    pitch_rad: float = 0.0
    roll_rad: float = 0.0
    hfov_rad: float = math.radians(60)
    principal_x: float = 0.0
    principal_y: float = 0.0


class Solid(NamedTuple):
    """A box, cylinder or ellipsoid (kinds of raycast): half sizes along its own axes.

    It is tilted about its own y (z turns towards x), then turned by yaw about the upright. With `holes` it is a
    hollow shell, open where they say.
    """

    kind: int
    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    yaw_rad: float = 0.0
    material: Material = Material()
    tilt_rad: float = 0.0
    holes: Holes = WHOLE


@dataclass(frozen=True)
class Room:
    """An axis-aligned room from corner (x0, y0, 0) to (x1, y1, height)."""

    x0_m: float
    y0_m: float
    x1_m: float
    y1_m: float
    height_m: float


@dataclass(frozen=True)
class Lighting:
    """Main light and fill, both with shadows (indoors positions; outdoors the main one is the direction to the sun)."""

    main: tuple[float, float, float] = (0.3, 0.4, 0.85)
    main_colour: Colour = (0.7, 0.7, 0.7)
    fill: tuple[float, float, float] = (0.0, 0.0, 2.0)
    fill_colour: Colour = (0.0, 0.0, 0.0)
    ambient: Colour = (0.4, 0.4, 0.4)
    reach_m: float = 3.0  # distance at which a point light has lost half of its strength
    horizon: Colour = (0.7, 0.75, 0.8)
    zenith: Colour = (0.25, 0.4, 0.7)
    cloud: float = 0.0
    visibility_m: float = 1e6


@dataclass(frozen=True)
class Photo:
    """What lens and sensor do to the light."""

    exposure: float = 1.0  # of what a camera's automatic would choose
    gamma: float = 2.2
    white_balance: Colour = (1.0, 1.0, 1.0)
    noise: float = 0.0  # standard deviation, of full scale
    vignette: float = 0.0
    blur_px: float = 0.0  # standard deviation
    noise_seed: int = 0


@dataclass(frozen=True)
class Layout:
    """Everything a scene is. `room` None means open ground under the sky."""

    camera: Camera
    room: Room | None = None
    solids: tuple[Solid, ...] = ()
    floor: Material = field(default_factory=Material)
    wall: Material = field(default_factory=Material)
    ceiling: Material = field(default_factory=Material)
    lighting: Lighting = field(default_factory=Lighting)
    photo: Photo = field(default_factory=Photo)
    kind: str = "custom"

    def __post_init__(self) -> None:
        """Refuse more solids than a scene is meant to hold."""
        if len(self.solids) > MAX_SOLIDS:
            raise ValueError(f"a layout holds at most {MAX_SOLIDS} solids, got {len(self.solids)}: drop some")
