# SPDX-License-Identifier: Apache-2.0
"""Depth of every kind of solid and of holes, and the camera, against independent computations."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
import torch

from depthpro_ros.scenes import Camera, Layout, Room, SceneBatch, Solid, layout_from_seed, render_layouts, render_scenes
from depthpro_ros.scenes.holes import BARS, LEAVES, MESH, ROUND, Holes
from depthpro_ros.scenes.materials import glass_pane, mirror_pane
from depthpro_ros.scenes.openings import door
from depthpro_ros.scenes.parts import stood
from depthpro_ros.scenes.raycast import BOX, CYLINDER, SPHERE
from test.scenes.reference import depth_along, forward_right_down

SIZE = 48
CAMERA = Camera(0.2, -0.1, 1.2, 0.3, 0.15, 0.08, math.radians(70), 0.02, -0.03)


def _rays(batch: SceneBatch, camera: Camera, pixels: np.ndarray) -> np.ndarray:
    """World rays of depth 1 through pixels [N, 2] (column, row)."""
    forward, right, down = forward_right_down(camera)
    focal, (cx, cy) = float(batch.focal_px[0]), batch.principal_px[0].tolist()
    x, y = (pixels[:, 0] - cx) / focal, (pixels[:, 1] - cy) / focal
    return forward + x[:, None] * right + y[:, None] * down


@pytest.mark.parametrize("kind", [BOX, CYLINDER, SPHERE])
@pytest.mark.parametrize("tilt", [0.0, 0.7])
def test_depth_equals_that_of_a_marching_ray_caster(kind: int, tilt: float) -> None:
    half = (0.35, 0.35, 0.8) if kind == CYLINDER else (0.35, 0.6, 0.8)
    solid = Solid(kind, (2.6, 0.5, 1.1), half, 0.9, tilt_rad=tilt)
    batch = render_layouts([Layout(CAMERA, solids=(solid,))], height=SIZE, width=SIZE)
    ground = render_layouts([Layout(CAMERA)], height=SIZE, width=SIZE).depth_m[0]
    pixels = np.stack(np.meshgrid(np.arange(3, SIZE, 5), np.arange(3, SIZE, 5)), -1).reshape(-1, 2)
    eye = np.array([CAMERA.x_m, CAMERA.y_m, CAMERA.height_m])
    hits = 0
    for (column, row), ray in zip(pixels, _rays(batch, CAMERA, pixels), strict=True):
        expected = depth_along([solid], eye, ray, 6.0)
        hits += math.isfinite(expected)
        expected = min(expected, float(ground[row, column]))
        assert float(batch.depth_m[0, row, column]) == pytest.approx(expected, rel=1e-4)
    assert 4 < hits < len(pixels)


def _wall_with(holes: Holes) -> tuple[SceneBatch, np.ndarray, np.ndarray]:
    """A plate 2 m ahead of a level camera, a wall 5 m ahead; and where each pixel meets the plate, y and z."""
    plate = Solid(BOX, (2.0, 0.0, 6.0), (1e-4, 1.5, 1.5), holes=holes)
    room = Room(-1.0, -9.0, 5.0, 9.0, 20.0)
    batch = render_layouts([Layout(Camera(height_m=6.0), room, (plate,))], height=SIZE, width=SIZE)
    at = (np.arange(SIZE) - (SIZE - 1) / 2) / float(batch.focal_px[0]) * 2.0
    return batch, *np.meshgrid(-at, 6.0 - at)


@pytest.mark.parametrize("pattern", [BARS, MESH, ROUND])
def test_depth_goes_through_holes(pattern: int) -> None:
    batch, y, z = _wall_with(Holes(pattern, 0.3, 0.11, 0))
    fraction_y, fraction_z = (y / 0.3) % 1 * 0.3, (z / 0.3) % 1 * 0.3
    upright, level = fraction_y < 0.11, fraction_z < 0.11
    closed = {BARS: upright, MESH: upright | level, ROUND: np.hypot(fraction_y - 0.15, fraction_z - 0.15) > 0.055}
    edges = [fraction_y, fraction_y - 0.11, fraction_z, fraction_z - 0.11]
    sure = np.min(np.abs(edges), axis=0) > 2e-3
    if pattern == ROUND:
        sure = np.abs(np.hypot(fraction_y - 0.15, fraction_z - 0.15) - 0.055) > 2e-3
    sure &= np.abs(y) < 1.4
    depth = batch.depth_m[0].numpy()
    np.testing.assert_allclose(depth[sure & closed[pattern]], 2.0, atol=1e-3)
    np.testing.assert_allclose(depth[sure & ~closed[pattern]], 5.0, atol=1e-3)


def test_leaves_cover_about_the_share_they_should() -> None:
    batch, y, _ = _wall_with(Holes(LEAVES, 0.12, 0.3, 0))
    depth = batch.depth_m[0].numpy()
    covered = (depth < 3.0)[np.abs(y) < 1.4].mean()
    # Two layers, seen from both sides at one place: 1 - (1 - share)^2 in the mean, ellipses cut at their cells.
    assert 0.3 < covered < 0.6


def test_principal_point_and_focal_project_known_points() -> None:
    camera = Camera(0.0, 0.0, 5.0, 0.4, 0.2, -0.1, math.radians(80), 0.035, -0.025)
    forward, right, down = forward_right_down(camera)
    for x, y in ((-0.5, 0.3), (0.4, -0.35), (0.0, 0.0)):
        centre = np.array([0, 0, 5.0]) + 4 * (forward + x * right + y * down)
        ball = Solid(SPHERE, (float(centre[0]), float(centre[1]), float(centre[2])), (0.02, 0.02, 0.02))
        batch = render_layouts([Layout(camera, Room(-9, -9, 9, 9, 9), (ball,))], height=301, width=401)
        empty = render_layouts([Layout(camera, Room(-9, -9, 9, 9, 9))], height=301, width=401)
        rows, columns = torch.nonzero(batch.depth_m[0] < empty.depth_m[0] - 1e-3, as_tuple=True)
        focal, (cx, cy) = float(batch.focal_px[0]), batch.principal_px[0].tolist()
        assert (cx, cy) == pytest.approx((200 + 0.035 * 401, 150 - 0.025 * 401), abs=1e-3)
        assert float(columns.double().mean()) == pytest.approx(cx + focal * x, abs=0.4)
        assert float(rows.double().mean()) == pytest.approx(cy + focal * y, abs=0.4)


def test_pixel_aspect_squashes_the_same_view() -> None:
    seeds = [1, 5, 9]
    plain = render_scenes(seeds, height=36, width=48)
    # three times as many rows over the same view: every third row, from the second on, is a row of the plain image
    tall = render_scenes(seeds, height=108, width=48, pixel_aspect=3.0)
    same = torch.isclose(tall.depth_m[:, 1::3], plain.depth_m, rtol=1e-4)
    assert same.float().mean() > 0.998
    torch.testing.assert_close(tall.focal_px, plain.focal_px)
    torch.testing.assert_close(tall.principal_px[:, 1], 3 * plain.principal_px[:, 1] + 1, rtol=0, atol=1e-3)


def test_glass_and_mirrors_are_not_valid() -> None:
    for material in (mirror_pane(), glass_pane(Random(0))):
        pane = Solid(BOX, (2.0, 0.0, 1.0), (0.01, 0.3, 0.3), material=material)
        batch = render_layouts([Layout(Camera(), Room(-1, -3, 4, 3, 3), (pane,))], height=31, width=31)
        on_pane = torch.isclose(batch.depth_m[0], torch.tensor(1.99), atol=1e-3)
        assert on_pane.sum() > 20
        assert torch.equal(~batch.valid[0], on_pane)


def test_a_mirror_shows_what_is_before_it() -> None:
    red = Solid(BOX, (-2.0, 0.0, 1.0), (0.1, 5.0, 5.0))._replace(material=glass_pane(Random(0)))
    red = red._replace(
        material=red.material._replace(red_a=1, green_a=0, blue_a=0, red_b=1, green_b=0, blue_b=0, glass=0, mirror=0)
    )
    mirror = Solid(BOX, (2.0, 0.0, 1.0), (0.01, 1.0, 1.0), material=mirror_pane())
    layout = Layout(Camera(height_m=1.0), Room(-3, -3, 3, 3, 3), (red, mirror))
    pixel = render_layouts([layout], height=31, width=31).rgb[0, 15, 15]
    assert int(pixel[0]) > 2 * int(pixel[1])


def test_a_door_is_two_metres_high() -> None:
    room = Room(0.0, 0.0, 5.0, 6.0, 2.8)
    leaf = door(Random(3))[:1]
    camera = Camera(1.5, 3.0, 1.1, 0.1, 0.05, 0.03, math.radians(75), 0.01, 0.02)
    layout = Layout(camera, room, tuple(stood(leaf, 5.0, 3.0, math.pi / 2)))
    with_door, without = (render_layouts([s], height=480, width=640) for s in (layout, Layout(camera, room)))
    rows, columns = torch.nonzero(with_door.depth_m[0] < without.depth_m[0] - 5e-3, as_tuple=True)
    depth = with_door.depth_m[0][rows, columns].double().numpy()
    rays = _rays(with_door, camera, np.stack([columns.numpy(), rows.numpy()], 1))
    height = 1.1 + depth * rays[:, 2]
    assert height.max() - height.min() == pytest.approx(2.0, abs=0.02)


def test_cameras_are_as_varied_as_promised() -> None:
    cameras = [layout_from_seed(seed).camera for seed in range(300)]
    fov = np.degrees([c.hfov_rad for c in cameras])
    height = np.array([c.height_m for c in cameras])
    off = np.array([(c.principal_x, c.principal_y) for c in cameras])
    assert 30 <= fov.min() < 36
    assert 104 < fov.max() <= 110
    assert 0.1 <= height.min() < 0.2
    assert 2.2 < height.max() <= 3.0
    assert 0.005 < np.abs(off).mean() < np.abs(off).max() <= 0.04
    assert np.std([c.pitch_rad for c in cameras]) > math.radians(4)
    assert np.std([c.roll_rad for c in cameras]) > math.radians(1.5)


def test_every_kind_of_scene_is_drawn_and_leaves_its_camera_room() -> None:
    seeds = range(60)
    batch = render_scenes(seeds, height=24, width=32)
    assert set(batch.kind) == {"room", "corridor", "warehouse", "street", "yard", "park"}
    for seed, depth, camera_height in zip(seeds, batch.depth_m, batch.camera_height_m, strict=True):
        # 0.3 m clear of everything but the floor; the corner of a 110 degree view has depth 0.5 per metre
        assert float(depth.min()) > min(0.12, 0.4 * float(camera_height)), seed


@pytest.mark.parametrize("aspect", [0.0, -1.0, math.nan, math.inf])
def test_a_senseless_aspect_is_refused(aspect: float) -> None:
    with pytest.raises(ValueError, match="pixel_aspect"):
        render_scenes([0], height=8, width=8, pixel_aspect=aspect)
