# SPDX-License-Identifier: Apache-2.0
"""A scene as numbers: camera, solids, materials and lights drawn from one seed.

World frame: x and y level, z up, ground or floor at z = 0. Units are metres and radians.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from depthpro_ros.scenes.materials import Colour, random_colour, random_material
from depthpro_ros.scenes.raycast import BOX, CYLINDER, SPHERE
from depthpro_ros.scenes.textures import Material

MAX_SOLIDS = 40
_INDOOR_SHARE = 0.55
_CLEARANCE_M = 0.35


@dataclass(frozen=True)
class Camera:
    """Camera pose; yaw 0 looks along +x, positive pitch looks down, positive roll turns x (right) towards y (down)."""

    x_m: float = 0.0
    y_m: float = 0.0
    height_m: float = 1.0
    yaw_rad: float = 0.0
    pitch_rad: float = 0.0
    roll_rad: float = 0.0
    hfov_rad: float = math.radians(60)


@dataclass(frozen=True)
class Solid:
    """A box, a vertical cylinder or a sphere (kinds of raycast); half sizes along its own axes, yaw about z."""

    kind: int
    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    yaw_rad: float = 0.0
    material: Material = Material()


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
    """Main light (a position indoors, a direction towards the sun outdoors) with shadows; the fill has none."""

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
    """What the sensor does to the light."""

    exposure: float = 1.0
    gamma: float = 2.0
    white_balance: Colour = (1.0, 1.0, 1.0)
    noise: float = 0.0  # standard deviation, of full scale
    vignette: float = 0.0
    noise_seed: int = 0


@dataclass(frozen=True)
class Layout:
    """Everything a scene is. `room` None means open ground under the sky."""

    camera: Camera
    room: Room | None = None
    solids: tuple[Solid, ...] = ()
    floor: Material = Material()
    wall: Material = Material()
    ceiling: Material = Material()
    lighting: Lighting = field(default_factory=Lighting)
    photo: Photo = field(default_factory=Photo)

    def __post_init__(self) -> None:
        """Refuse more solids than a scene is meant to hold."""
        if len(self.solids) > MAX_SOLIDS:
            raise ValueError(f"a layout holds at most {MAX_SOLIDS} solids, got {len(self.solids)}: drop some")


def layout_from_seed(seed: int) -> Layout:
    """Draw the scene of a seed (any non-negative integer); the same seed gives the same scene everywhere."""
    if seed < 0:
        raise ValueError(f"seed is {seed}, expected a non-negative integer")
    rng = np.random.default_rng(seed)
    return _room_scene(rng) if rng.random() < _INDOOR_SHARE else _open_scene(rng)


def _uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(_uniform(rng, math.log(low), math.log(high)))


def _camera(rng: np.random.Generator, x: float, y: float, height: float, yaw: float) -> Camera:
    low, high = (0.0, 20.0) if rng.random() < 0.75 else (-10.0, 35.0)
    return Camera(
        x,
        y,
        height,
        yaw,
        math.radians(_uniform(rng, low, high)),
        math.radians(2.0 * float(rng.standard_normal())),
        math.radians(_uniform(rng, 35.0, 100.0)),
    )


def _photo(rng: np.random.Generator) -> Photo:
    red, blue = math.exp(0.08 * rng.standard_normal()), math.exp(0.08 * rng.standard_normal())
    return Photo(
        exposure=_log_uniform(rng, 0.7, 1.7),
        gamma=_uniform(rng, 1.8, 2.4),
        white_balance=(red, 1.0, blue),
        noise=_uniform(rng, 0.0, 0.02),
        vignette=_uniform(rng, 0.0, 0.4) if rng.random() < 0.5 else 0.0,
        noise_seed=int(rng.integers(2**31)),
    )


def _gap(camera: Camera, solid: Solid) -> float:
    """Level distance from the camera to the footprint of the solid; 0 inside."""
    dx, dy = camera.x_m - solid.centre[0], camera.y_m - solid.centre[1]
    if solid.kind != BOX:
        return max(0.0, math.hypot(dx, dy) - solid.half[0])
    cos, sin = math.cos(solid.yaw_rad), math.sin(solid.yaw_rad)
    local_x, local_y = abs(cos * dx + sin * dy), abs(cos * dy - sin * dx)
    return math.hypot(max(0.0, local_x - solid.half[0]), max(0.0, local_y - solid.half[1]))


def _clear(camera: Camera, solid: Solid) -> bool:
    """Whether the solid leaves the camera room; large solids must stand further off, or they fill the view."""
    return _gap(camera, solid) > _CLEARANCE_M + 0.4 * max(solid.half[0], min(solid.half[1], 2.0))


def _overlaps(solid: Solid, others: list[Solid]) -> bool:
    # Circles of the mean half size: corners may touch now and then, as furniture does.
    for other in others:
        reach = 0.5 * (solid.half[0] + solid.half[1] + other.half[0] + other.half[1])
        if math.hypot(solid.centre[0] - other.centre[0], solid.centre[1] - other.centre[1]) < reach:
            return True
    return False


def _room_scene(rng: np.random.Generator) -> Layout:
    width, length = _log_uniform(rng, 2.0, 9.0), _log_uniform(rng, 2.0, 9.0)
    room = Room(0.0, 0.0, length, width, _uniform(rng, 2.3, 3.5))
    margin = 0.45
    x, y = _uniform(rng, margin, length - margin), _uniform(rng, margin, width - margin)
    yaw = 0.0
    for _ in range(8):
        yaw = _uniform(rng, -math.pi, math.pi)
        ahead_x = (length - x if math.cos(yaw) > 0 else x) / max(abs(math.cos(yaw)), 1e-6)
        ahead_y = (width - y if math.sin(yaw) > 0 else y) / max(abs(math.sin(yaw)), 1e-6)
        if min(ahead_x, ahead_y) > 1.0:
            break
    camera = _camera(rng, x, y, _uniform(rng, 0.2, 1.8), yaw)

    solids: list[Solid] = []
    for _ in range(int(rng.integers(3, 13))):
        for _ in range(10):
            group = _furniture(rng, room, camera)
            if all(_clear(camera, s) for s in group) and not _overlaps(group[0], solids):
                solids.extend(group)
                break
    for _ in range(int(rng.integers(0, 4))):
        hung = _hung(rng, room)
        if _clear(camera, hung):
            solids.append(hung)

    warm = _uniform(rng, 0.0, 0.3)
    strength = _uniform(rng, 0.5, 1.1)
    ambient = _uniform(rng, 0.15, 0.5)
    fill = _uniform(rng, 0.0, 0.5) if rng.random() < 0.6 else 0.0
    lighting = Lighting(
        main=(
            _uniform(rng, 0.3, length - 0.3),
            _uniform(rng, 0.3, width - 0.3),
            room.height_m - _uniform(rng, 0.1, 0.6),
        ),
        main_colour=(strength, strength * (1 - 0.4 * warm), strength * (1 - warm)),
        fill=(
            _uniform(rng, 0.2, length - 0.2),
            _uniform(rng, 0.2, width - 0.2),
            _uniform(rng, 0.8, room.height_m - 0.2),
        ),
        fill_colour=(fill, fill, fill),
        ambient=(ambient, ambient * (1 - 0.2 * warm), ambient * (1 - 0.4 * warm)),
        reach_m=_uniform(rng, 2.0, 7.0),
    )
    ceiling = random_colour(rng, value=(0.75, 0.98))
    return Layout(
        camera,
        room,
        tuple(solids),
        floor=random_material(rng, "ttcpppnn."),
        wall=random_material(rng, "n....bstp"),
        ceiling=Material(*ceiling, *ceiling, *ceiling, noise_amplitude=_uniform(rng, 0.0, 0.15)),
        lighting=lighting,
        photo=_photo(rng),
    )


def _furniture(rng: np.random.Generator, room: Room, camera: Camera) -> list[Solid]:
    """One thing standing on the floor: boxes, tables, cylinders, spheres."""
    draw = rng.random()
    x, y = _uniform(rng, 0.1, room.x1_m - 0.1), _uniform(rng, 0.1, room.y1_m - 0.1)
    if rng.random() < 0.5:  # within the view
        bearing = camera.yaw_rad + _uniform(rng, -0.5, 0.5) * camera.hfov_rad
        distance = _uniform(rng, 0.6, 5.0)
        x = float(np.clip(camera.x_m + distance * math.cos(bearing), 0.1, room.x1_m - 0.1))
        y = float(np.clip(camera.y_m + distance * math.sin(bearing), 0.1, room.y1_m - 0.1))
    if draw < 0.2:
        radius, half_height = _log_uniform(rng, 0.05, 0.5), 0.5 * _uniform(rng, 0.2, 2.0)
        material = random_material(rng, "nns..tp")
        return [Solid(CYLINDER, (x, y, half_height), (radius, radius, half_height), 0.0, material)]
    if draw < 0.35:
        radius = _log_uniform(rng, 0.1, 0.5)
        return [Solid(SPHERE, (x, y, radius), (radius, radius, radius), 0.0, random_material(rng, "ns.c"))]
    half_x, half_y = 0.5 * _log_uniform(rng, 0.2, 2.0), 0.5 * _log_uniform(rng, 0.2, 1.0)
    yaw = _uniform(rng, -math.pi, math.pi)
    if rng.random() < 0.65:  # back against a wall
        side = int(rng.integers(4))
        yaw = side * math.pi / 2
        if side % 2 == 0:
            y = half_y if side == 0 else room.y1_m - half_y
        else:
            x = half_y if side == 1 else room.x1_m - half_y
    if draw < 0.5:
        material, top = random_material(rng, "pp.n"), _uniform(rng, 0.4, 0.95)
        thick, leg = _uniform(rng, 0.015, 0.04), _uniform(rng, 0.02, 0.05)
        table = [Solid(BOX, (x, y, top), (half_x, half_y, thick), yaw, material)]
        cos, sin = math.cos(yaw), math.sin(yaw)
        for sign_x, sign_y in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
            ax, ay = sign_x * (half_x - leg), sign_y * (half_y - leg)
            at = (x + cos * ax - sin * ay, y + sin * ax + cos * ay, 0.5 * (top - thick))
            table.append(Solid(BOX, at, (leg, leg, 0.5 * (top - thick)), yaw, material))
        return table if rng.random() < 0.8 else table[:1]
    half_z = 0.5 * _log_uniform(rng, 0.2, 2.0)
    return [Solid(BOX, (x, y, half_z), (half_x, half_y, half_z), yaw, random_material(rng, "fffppn.sct"))]


def _hung(rng: np.random.Generator, room: Room) -> Solid:
    """A picture, shelf, cupboard or door on a wall."""
    half_width, depth = 0.5 * _uniform(rng, 0.3, 1.6), _log_uniform(rng, 0.01, 0.35)
    if rng.random() < 0.3:
        half_width, depth, low, high = 0.45, 0.03, 0.0, 2.05
    else:
        low = _uniform(rng, 0.8, 1.7)
        high = min(low + _uniform(rng, 0.05, 1.1), room.height_m - 0.05)
    size = (half_width, 0.5 * depth, 0.5 * (high - low))
    side, z = int(rng.integers(4)), 0.5 * (low + high)
    along_x, along_y = _uniform(rng, 0, room.x1_m), _uniform(rng, 0, room.y1_m)
    centre = {
        0: (along_x, 0.5 * depth, z),
        1: (0.5 * depth, along_y, z),
        2: (along_x, room.y1_m - 0.5 * depth, z),
        3: (room.x1_m - 0.5 * depth, along_y, z),
    }[side]
    return Solid(BOX, centre, size, side * math.pi / 2, random_material(rng, "fpn..cs"))


def _open_scene(rng: np.random.Generator) -> Layout:
    camera = _camera(rng, 0.0, 0.0, _log_uniform(rng, 0.2, 2.5), _uniform(rng, -math.pi, math.pi))
    solids: list[Solid] = []
    town = rng.random() < 0.5
    for _ in range(int(rng.integers(4, 17))):
        for _ in range(10):
            group = _outdoor_thing(rng, camera, town)
            if all(_clear(camera, s) for s in group) and not _overlaps(group[0], solids):
                solids.extend(group)
                break

    overcast = rng.random() < 0.3
    elevation, azimuth = math.radians(_uniform(rng, 15, 75)), _uniform(rng, -math.pi, math.pi)
    sun = _uniform(rng, 0.05, 0.2) if overcast else _uniform(rng, 0.6, 1.0)
    ambient = _uniform(rng, 0.6, 0.9) if overcast else _uniform(rng, 0.2, 0.45)
    grey = _uniform(rng, 0.55, 0.9)
    blue = _uniform(rng, 0.25, 0.6)
    lighting = Lighting(
        main=(
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ),
        main_colour=(sun, sun * _uniform(rng, 0.85, 1.0), sun * _uniform(rng, 0.65, 0.95)),
        ambient=(ambient * 0.93, ambient * 0.97, ambient),
        horizon=(grey, grey, grey) if overcast else (grey * 0.95, grey, min(1.0, grey * 1.08)),
        zenith=(grey * 0.8, grey * 0.82, grey * 0.85)
        if overcast
        else (blue * 0.35, blue * 0.65, min(1.0, blue * 1.5)),
        cloud=_uniform(rng, 0.0, 1.0) if rng.random() < 0.6 else 0.0,
        visibility_m=_log_uniform(rng, 80.0, 3000.0),
    )
    return Layout(
        camera,
        None,
        tuple(solids),
        floor=random_material(rng, "ggggnntbp" if not town else "gnnnttb."),
        lighting=lighting,
        photo=_photo(rng),
    )


def _outdoor_thing(rng: np.random.Generator, camera: Camera, town: bool) -> list[Solid]:
    """One thing on open ground: building, crate, pole, tree or ball, mostly within the view."""
    spread = 0.55 * camera.hfov_rad if rng.random() < 0.8 else math.pi
    bearing = camera.yaw_rad + _uniform(rng, -spread, spread)
    distance = _log_uniform(rng, 1.0, 40.0)
    x, y = camera.x_m + distance * math.cos(bearing), camera.y_m + distance * math.sin(bearing)
    draw = rng.random()
    if draw < 0.45:
        large = distance > 6.0 and rng.random() < (0.7 if town else 0.3)
        low, high = (1.0, 8.0) if large else (0.2, 2.0)
        half = tuple(0.5 * _log_uniform(rng, low, high) for _ in range(3))
        material = random_material(rng, "wwbbpn.f" if large else "ffpn.cst")
        yaw = _uniform(rng, -math.pi, math.pi)
        return [Solid(BOX, (x, y, half[2]), (half[0], half[1], half[2]), yaw, material)]
    if draw < 0.65:
        radius, half_height = _log_uniform(rng, 0.04, 0.5), 0.5 * _log_uniform(rng, 0.4, 6.0)
        material = random_material(rng, "nns..")
        return [Solid(CYLINDER, (x, y, half_height), (radius, radius, half_height), 0.0, material)]
    if draw < 0.85:
        trunk, crown = _uniform(rng, 0.08, 0.25), _uniform(rng, 0.6, 1.8)
        half_height = 0.5 * _uniform(rng, 1.5, 4.0)
        bark = random_material(rng, "g")
        leaves = random_material(rng, "g")
        leaf_tint = (0.55 * leaves.red_a, leaves.green_a, 0.4 * leaves.blue_a)
        leaves = leaves._replace(
            red_a=leaf_tint[0], green_a=leaf_tint[1], blue_a=leaf_tint[2],
            red_b=leaf_tint[0], green_b=leaf_tint[1], blue_b=leaf_tint[2],
        )  # fmt: skip
        return [
            Solid(CYLINDER, (x, y, half_height), (trunk, trunk, half_height), 0.0, bark),
            Solid(SPHERE, (x, y, 2 * half_height + 0.6 * crown), (crown, crown, crown), 0.0, leaves),
        ]
    radius = _log_uniform(rng, 0.1, 0.8)
    return [Solid(SPHERE, (x, y, radius), (radius, radius, radius), 0.0, random_material(rng, "ns.c"))]
