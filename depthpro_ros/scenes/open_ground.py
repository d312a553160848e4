# SPDX-License-Identifier: Apache-2.0
"""Random outdoor scenes: ground to the horizon, buildings, poles, trees, sun or clouds."""

from __future__ import annotations

import math

import numpy as np

from depthpro_ros.scenes.layout import Camera, Layout, Lighting, Solid
from depthpro_ros.scenes.materials import random_material
from depthpro_ros.scenes.placing import clear, draw_camera, draw_photo, log_uniform, overlaps, uniform
from depthpro_ros.scenes.raycast import BOX, CYLINDER, SPHERE


def open_scene(rng: np.random.Generator) -> Layout:
    """Draw a field or a town on flat ground under the sky, things at 1 to 40 m."""
    camera = draw_camera(rng, 0.0, 0.0, log_uniform(rng, 0.2, 2.5), uniform(rng, -math.pi, math.pi))
    solids: list[Solid] = []
    town = rng.random() < 0.5
    for _ in range(int(rng.integers(4, 17))):
        for _ in range(10):
            group = _outdoor_thing(rng, camera, town)
            if all(clear(camera, s) for s in group) and not overlaps(group[0], solids):
                solids.extend(group)
                break

    overcast = rng.random() < 0.3
    elevation, azimuth = math.radians(uniform(rng, 15, 75)), uniform(rng, -math.pi, math.pi)
    sun = uniform(rng, 0.05, 0.2) if overcast else uniform(rng, 0.6, 1.0)
    ambient = uniform(rng, 0.6, 0.9) if overcast else uniform(rng, 0.2, 0.45)
    grey = uniform(rng, 0.55, 0.9)
    blue = uniform(rng, 0.25, 0.6)
    lighting = Lighting(
        main=(
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ),
        main_colour=(sun, sun * uniform(rng, 0.85, 1.0), sun * uniform(rng, 0.65, 0.95)),
        ambient=(ambient * 0.93, ambient * 0.97, ambient),
        horizon=(grey, grey, grey) if overcast else (grey * 0.95, grey, min(1.0, grey * 1.08)),
        zenith=(grey * 0.8, grey * 0.82, grey * 0.85) if overcast else (blue * 0.35, blue * 0.65, min(1.0, blue * 1.5)),
        cloud=uniform(rng, 0.0, 1.0) if rng.random() < 0.6 else 0.0,
        visibility_m=log_uniform(rng, 80.0, 3000.0),
    )
    return Layout(
        camera,
        None,
        tuple(solids),
        floor=random_material(rng, "ggggnntbp" if not town else "gnnnttb."),
        lighting=lighting,
        photo=draw_photo(rng),
    )


def _outdoor_thing(rng: np.random.Generator, camera: Camera, town: bool) -> list[Solid]:
    """One thing on open ground: building, crate, pole, tree or ball, mostly within the view."""
    spread = 0.55 * camera.hfov_rad if rng.random() < 0.8 else math.pi
    bearing = camera.yaw_rad + uniform(rng, -spread, spread)
    distance = log_uniform(rng, 1.0, 40.0)
    x, y = camera.x_m + distance * math.cos(bearing), camera.y_m + distance * math.sin(bearing)
    draw = rng.random()
    if draw < 0.45:
        large = distance > 6.0 and rng.random() < (0.7 if town else 0.3)
        low, high = (1.0, 8.0) if large else (0.2, 2.0)
        half = tuple(0.5 * log_uniform(rng, low, high) for _ in range(3))
        material = random_material(rng, "wwbbpn.f" if large else "ffpn.cst")
        yaw = uniform(rng, -math.pi, math.pi)
        return [Solid(BOX, (x, y, half[2]), (half[0], half[1], half[2]), yaw, material)]
    if draw < 0.65:
        radius, half_height = log_uniform(rng, 0.04, 0.5), 0.5 * log_uniform(rng, 0.4, 6.0)
        material = random_material(rng, "nns..")
        return [Solid(CYLINDER, (x, y, half_height), (radius, radius, half_height), 0.0, material)]
    if draw < 0.85:
        trunk, crown = uniform(rng, 0.08, 0.25), uniform(rng, 0.6, 1.8)
        half_height = 0.5 * uniform(rng, 1.5, 4.0)
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
    radius = log_uniform(rng, 0.1, 0.8)
    return [Solid(SPHERE, (x, y, radius), (radius, radius, radius), 0.0, random_material(rng, "ns.c"))]
