# SPDX-License-Identifier: Apache-2.0
"""Random rooms: furniture on the floor, things on the walls, one or two lamps."""

from __future__ import annotations

import math

import numpy as np

from depthpro_ros.scenes.layout import Camera, Layout, Lighting, Room, Solid
from depthpro_ros.scenes.materials import random_colour, random_material
from depthpro_ros.scenes.placing import clear, draw_camera, draw_photo, log_uniform, overlaps, uniform
from depthpro_ros.scenes.raycast import BOX, CYLINDER, SPHERE
from depthpro_ros.scenes.textures import Material


def room_scene(rng: np.random.Generator) -> Layout:
    """Draw a furnished box room of 2 to 9 m with a camera in it."""
    width, length = log_uniform(rng, 2.0, 9.0), log_uniform(rng, 2.0, 9.0)
    room = Room(0.0, 0.0, length, width, uniform(rng, 2.3, 3.5))
    margin = 0.45
    x, y = uniform(rng, margin, length - margin), uniform(rng, margin, width - margin)
    yaw = 0.0
    for _ in range(8):
        yaw = uniform(rng, -math.pi, math.pi)
        ahead_x = (length - x if math.cos(yaw) > 0 else x) / max(abs(math.cos(yaw)), 1e-6)
        ahead_y = (width - y if math.sin(yaw) > 0 else y) / max(abs(math.sin(yaw)), 1e-6)
        if min(ahead_x, ahead_y) > 1.0:
            break
    camera = draw_camera(rng, x, y, uniform(rng, 0.2, 1.8), yaw)

    solids: list[Solid] = []
    for _ in range(int(rng.integers(3, 13))):
        for _ in range(10):
            group = _furniture(rng, room, camera)
            if all(clear(camera, s) for s in group) and not overlaps(group[0], solids):
                solids.extend(group)
                break
    for _ in range(int(rng.integers(0, 4))):
        hung = _hung(rng, room)
        if clear(camera, hung):
            solids.append(hung)

    warm = uniform(rng, 0.0, 0.3)
    strength = uniform(rng, 0.5, 1.1)
    ambient = uniform(rng, 0.15, 0.5)
    fill = uniform(rng, 0.0, 0.5) if rng.random() < 0.6 else 0.0
    lighting = Lighting(
        main=(
            uniform(rng, 0.3, length - 0.3),
            uniform(rng, 0.3, width - 0.3),
            room.height_m - uniform(rng, 0.1, 0.6),
        ),
        main_colour=(strength, strength * (1 - 0.4 * warm), strength * (1 - warm)),
        fill=(
            uniform(rng, 0.2, length - 0.2),
            uniform(rng, 0.2, width - 0.2),
            uniform(rng, 0.8, room.height_m - 0.2),
        ),
        fill_colour=(fill, fill, fill),
        ambient=(ambient, ambient * (1 - 0.2 * warm), ambient * (1 - 0.4 * warm)),
        reach_m=uniform(rng, 2.0, 7.0),
    )
    ceiling = random_colour(rng, value=(0.75, 0.98))
    return Layout(
        camera,
        room,
        tuple(solids),
        floor=random_material(rng, "ttcpppnn."),
        wall=random_material(rng, "n....bstp"),
        ceiling=Material(*ceiling, *ceiling, *ceiling, noise_amplitude=uniform(rng, 0.0, 0.15)),
        lighting=lighting,
        photo=draw_photo(rng),
    )


def _furniture(rng: np.random.Generator, room: Room, camera: Camera) -> list[Solid]:
    """One thing standing on the floor: boxes, tables, cylinders, spheres."""
    draw = rng.random()
    x, y = uniform(rng, 0.1, room.x1_m - 0.1), uniform(rng, 0.1, room.y1_m - 0.1)
    if rng.random() < 0.5:  # within the view
        bearing = camera.yaw_rad + uniform(rng, -0.5, 0.5) * camera.hfov_rad
        distance = uniform(rng, 0.6, 5.0)
        x = float(np.clip(camera.x_m + distance * math.cos(bearing), 0.1, room.x1_m - 0.1))
        y = float(np.clip(camera.y_m + distance * math.sin(bearing), 0.1, room.y1_m - 0.1))
    if draw < 0.2:
        radius, half_height = log_uniform(rng, 0.05, 0.5), 0.5 * uniform(rng, 0.2, 2.0)
        material = random_material(rng, "nns..tp")
        return [Solid(CYLINDER, (x, y, half_height), (radius, radius, half_height), 0.0, material)]
    if draw < 0.35:
        radius = log_uniform(rng, 0.1, 0.5)
        return [Solid(SPHERE, (x, y, radius), (radius, radius, radius), 0.0, random_material(rng, "ns.c"))]
    half_x, half_y = 0.5 * log_uniform(rng, 0.2, 2.0), 0.5 * log_uniform(rng, 0.2, 1.0)
    yaw = uniform(rng, -math.pi, math.pi)
    if rng.random() < 0.65:  # back against a wall
        side = int(rng.integers(4))
        yaw = side * math.pi / 2
        if side % 2 == 0:
            y = half_y if side == 0 else room.y1_m - half_y
        else:
            x = half_y if side == 1 else room.x1_m - half_y
    if draw < 0.5:
        material, top = random_material(rng, "pp.n"), uniform(rng, 0.4, 0.95)
        thick, leg = uniform(rng, 0.015, 0.04), uniform(rng, 0.02, 0.05)
        table = [Solid(BOX, (x, y, top), (half_x, half_y, thick), yaw, material)]
        cos, sin = math.cos(yaw), math.sin(yaw)
        for sign_x, sign_y in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
            ax, ay = sign_x * (half_x - leg), sign_y * (half_y - leg)
            at = (x + cos * ax - sin * ay, y + sin * ax + cos * ay, 0.5 * (top - thick))
            table.append(Solid(BOX, at, (leg, leg, 0.5 * (top - thick)), yaw, material))
        return table if rng.random() < 0.8 else table[:1]
    half_z = 0.5 * log_uniform(rng, 0.2, 2.0)
    return [Solid(BOX, (x, y, half_z), (half_x, half_y, half_z), yaw, random_material(rng, "fffppn.sct"))]


def _hung(rng: np.random.Generator, room: Room) -> Solid:
    """A picture, shelf, cupboard or door on a wall."""
    half_width, depth = 0.5 * uniform(rng, 0.3, 1.6), log_uniform(rng, 0.01, 0.35)
    if rng.random() < 0.3:
        half_width, depth, low, high = 0.45, 0.03, 0.0, 2.05
    else:
        low = uniform(rng, 0.8, 1.7)
        high = min(low + uniform(rng, 0.05, 1.1), room.height_m - 0.05)
    size = (half_width, 0.5 * depth, 0.5 * (high - low))
    side, z = int(rng.integers(4)), 0.5 * (low + high)
    along_x, along_y = uniform(rng, 0, room.x1_m), uniform(rng, 0, room.y1_m)
    centre = {
        0: (along_x, 0.5 * depth, z),
        1: (0.5 * depth, along_y, z),
        2: (along_x, room.y1_m - 0.5 * depth, z),
        3: (room.x1_m - 0.5 * depth, along_y, z),
    }[side]
    return Solid(BOX, centre, size, side * math.pi / 2, random_material(rng, "fpn..cs"))
