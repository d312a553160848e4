# SPDX-License-Identifier: Apache-2.0
"""Random streets, yards and parks under the sky."""

from __future__ import annotations

import math
from random import Random

from depthpro_ros.scenes.buildings import house, shed
from depthpro_ros.scenes.cameras import Pose, draw_photo, placed_camera
from depthpro_ros.scenes.layout import Camera, Layout, Lighting
from depthpro_ros.scenes.materials import asphalt, concrete, grass, hsv, paving, plain, soil
from depthpro_ros.scenes.parts import Thing, block
from depthpro_ros.scenes.placing import Plan, log_uniform
from depthpro_ros.scenes.street_things import bench, bollard, car, fence, lamp_post, sign
from depthpro_ros.scenes.textures import Material
from depthpro_ros.scenes.vegetation import bush, hedge, tree

_MANY = 190


def daylight(rng: Random) -> Lighting:
    """Sun or clouds."""
    overcast = rng.random() < 0.3
    elevation, azimuth = math.radians(rng.uniform(15, 70)), rng.uniform(-math.pi, math.pi)
    sun = rng.uniform(0.03, 0.15) if overcast else rng.uniform(0.7, 1.1)
    ambient = rng.uniform(0.6, 0.8) if overcast else rng.uniform(0.28, 0.45)
    low = math.sin(elevation) ** 0.4  # a low sun is warm
    grey, blue = rng.uniform(0.55, 0.8) if overcast else rng.uniform(0.7, 0.95), rng.uniform(0.45, 0.75)
    return Lighting(
        main=(math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth), math.sin(elevation)),
        main_colour=(sun, sun * (0.75 + 0.22 * low), sun * (0.5 + 0.42 * low)),
        ambient=(ambient * 0.92, ambient * 0.97, ambient * 1.05),
        horizon=(grey, grey, grey) if overcast else (grey * 0.88, grey * 0.95, grey * 1.02),
        zenith=(grey * 0.8, grey * 0.82, grey * 0.86) if overcast else (blue * 0.3, blue * 0.6, blue * 1.25),
        cloud=rng.uniform(0.3, 1.0) if rng.random() < 0.6 else 0.0,
        visibility_m=log_uniform(rng, 400.0, 6000.0),
    )


def _outdoor(rng: Random, plan: Plan, ground: Material, kind: str) -> Layout:
    lighting = daylight(rng)
    return Layout(Camera(), None, tuple(plan.solids), floor=ground, lighting=lighting, photo=draw_photo(rng), kind=kind)


def _scatter(rng: Random, plan: Plan, thing: Thing, x: tuple[float, float], y: tuple[float, float], yaw: float) -> None:
    if len(plan.solids) + len(thing.solids) < _MANY:
        for _ in range(4):
            if plan.put(thing, rng.uniform(*x), rng.uniform(*y), yaw):
                return


def street_scene(rng: Random) -> Layout:
    """Draw a street along x with pavements, houses, cars, trees and lamps; seen from the pavement or the road."""
    plan, road, walk = Plan(), rng.uniform(2.8, 4.5), rng.uniform(1.5, 3.5)
    long, kerb = 60.0, rng.uniform(0.08, 0.15)
    stone = paving(rng) if rng.random() < 0.7 else asphalt(rng)
    plan.add([block((-long, long), (-road, road), (-0.1, 0.004), asphalt(rng))])
    for side in (-1, 1):
        pavement = sorted((side * road, side * (road + walk)))
        plan.add([block((-long, long), (pavement[0], pavement[1]), (-0.1, kerb), stone)])
        edge = sorted((side * road, side * (road + 0.12)))
        plan.add([block((-long, long), (edge[0], edge[1]), (-0.1, kerb + 0.002), concrete(rng))])
    white = plain(hsv(0.1, 0.03, 0.85), noise=0.2)
    for i in range(8 if rng.random() < 0.8 else 0):
        plan.add([block((6.0 * i - 24, 6.0 * i - 21), (-0.06, 0.06), (0, 0.007), white)])

    for side in (-1, 1):
        _roadside(rng, plan, side, road)
    for side in (-1, 1):
        _houses(rng, plan, side, road + walk)
    layout = _outdoor(rng, plan, grass(rng) if rng.random() < 0.5 else concrete(rng), "street")

    def pose(draw: Random) -> Pose:
        on_walk = draw.random() < 0.6
        y = (
            draw.choice((-1, 1)) * (road + draw.uniform(0.9, max(1.0, walk - 0.4)))
            if on_walk
            else draw.uniform(-0.7, 0.7) * road
        )
        spread = 0.35 if draw.random() < 0.6 else 0.8
        return draw.uniform(-9, 9), y, draw.choice((0.0, math.pi)) + draw.gauss(0, spread)

    return placed_camera(rng, layout, pose)


def _roadside(rng: Random, plan: Plan, side: int, road: float) -> None:
    """Parked cars, lamps, trees and small things along one kerb."""
    parked, kerb = side * (road - 1.0), side * (road + 0.45)
    for _ in range(rng.randrange(4)):
        _scatter(rng, plan, car(rng), (-14, 14), (parked, parked), rng.choice((0.0, math.pi)) + rng.gauss(0, 0.02))
    for _ in range(rng.randrange(3, 8)):
        thing = rng.choice((lamp_post, lamp_post, tree, tree, sign, bollard, bollard))(rng)
        yaw = (math.pi if side > 0 else 0.0) if rng.random() < 0.8 else rng.uniform(-math.pi, math.pi)
        _scatter(rng, plan, thing, (-15, 15), (kerb, kerb), yaw)


def _houses(rng: Random, plan: Plan, side: int, edge: float) -> None:
    """A row of houses along one side of the street, at the pavement or behind gardens."""
    x, setback = -26.0, rng.choice((0.3, rng.uniform(2.0, 6.0)))
    facing = 0.0 if side > 0 else math.pi
    if setback > 1.5:
        for _ in range(rng.randrange(3)):
            barrier = fence(rng, rng.uniform(6.0, 12.0)) if rng.random() < 0.6 else hedge(rng)
            _scatter(rng, plan, barrier, (-10, 10), (side * (edge + 0.4),) * 2, 0.0)
        for _ in range(rng.randrange(3)):
            _scatter(rng, plan, rng.choice((bush, tree))(rng), (-14, 14), (side * (edge + 1.4),) * 2, 0.0)
    while x < 26.0:
        wide = rng.uniform(7.0, 13.0)
        near = abs(x + 0.5 * wide) < 9.0
        building = house(rng, detailed=near and len(plan.solids) < 170, width=wide)
        if rng.random() < 0.9 and len(plan.solids) < _MANY + 40:
            plan.put(building, x + 0.5 * wide, side * (edge + setback + building.half_y), facing)
        x += wide + rng.choice((0.7, rng.uniform(1.0, 5.0)))


def yard_scene(rng: Random) -> Layout:
    """Draw a yard or garden: a house, a shed, a fence around, a car, trees."""
    plan = Plan()
    half_x, half_y = rng.uniform(7, 14), rng.uniform(6, 11)
    building = house(rng, detailed=True)
    plan.put(building, rng.uniform(-2, 2), half_y + building.half_y, 0.0)
    for side in (-1, 1):
        _scatter(rng, plan, fence(rng, 2 * half_y), (side * half_x,) * 2, (0, 0), math.pi / 2)
    if rng.random() < 0.7:
        gap = rng.uniform(0.2, 0.45) * half_x
        for side in (-1, 1):
            _scatter(rng, plan, fence(rng, half_x - gap), (side * 0.5 * (half_x + gap),) * 2, (-half_y, -half_y), 0.0)
    if rng.random() < 0.5:
        _scatter(rng, plan, shed(rng), (-half_x + 3, half_x - 3), (0.4 * half_y, half_y), rng.choice((0.0, 0.3, -0.3)))
    for maker in (car, tree, bush, bench, bollard, lamp_post, tree, bush, car):
        if rng.random() < 0.6:
            yaw = rng.uniform(-math.pi, math.pi)
            _scatter(rng, plan, maker(rng), (-half_x + 1, half_x - 1), (-half_y + 1, half_y - 2), yaw)
    ground = rng.choice((paving, grass, asphalt, soil, concrete))(rng)
    layout = _outdoor(rng, plan, ground, "yard")

    def pose(draw: Random) -> Pose:
        x, y = draw.uniform(-0.9, 0.9) * half_x, draw.uniform(-0.9, 0.6) * half_y
        return x, y, math.atan2(0.5 * half_y - y, -x) + draw.gauss(0, 0.6)

    return placed_camera(rng, layout, pose)


def park_scene(rng: Random) -> Layout:
    """Draw open ground: a path, trees, bushes, benches, fences, houses far off."""
    plan = Plan()
    path = rng.uniform(0.8, 2.0)
    if rng.random() < 0.7:
        surface = rng.choice((asphalt, soil, paving))(rng)
        plan.add([block((-80, 80), (-path, path), (-0.1, 0.006), surface)])
    for _ in range(rng.randrange(1, 4)):
        side = rng.choice((-1, 1))
        _scatter(rng, plan, house(rng, detailed=False), (-30, 30), (side * 22, side * 40), 0.0 if side > 0 else math.pi)
    for _ in range(rng.randrange(1, 3)):
        length = rng.uniform(4, 10)
        _scatter(rng, plan, fence(rng, length), (-10, 10), (-9, 9), rng.choice((0.0, 0.0, math.pi / 2)))
    for side in (-1, 1):
        beside = side * (path + 0.6)
        for maker in (bench, lamp_post, bollard, sign):
            if rng.random() < 0.5:
                _scatter(rng, plan, maker(rng), (-9, 9), (beside, beside), 0.0 if side < 0 else math.pi)
    for _ in range(rng.randrange(6, 14)):
        thing = rng.choice((tree, tree, tree, bush, bush, hedge))(rng)
        side, reach = rng.choice((-1, 1)), log_uniform(rng, 2.0, 20.0)
        _scatter(rng, plan, thing, (-16, 16), (side * (path + reach), side * (path + reach)), 0.0)
    layout = _outdoor(rng, plan, grass(rng) if rng.random() < 0.75 else soil(rng), "park")

    def pose(draw: Random) -> Pose:
        return draw.uniform(-9, 9), draw.gauss(0, 1.5), draw.choice((0.0, math.pi)) + draw.gauss(0, 0.5)

    return placed_camera(rng, layout, pose)
