# SPDX-License-Identifier: Apache-2.0
"""The scale from the camera's height, on planes by equation and on rendered scenes."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.scale import GroundSettings, NoScale, scale_from_ground
from test.scale.rendered import indoor_scenes

CAMERA = Intrinsics.from_fov(160, 120, 70)
HEIGHT_M, FAR_M = 1.2, 8.0


def plane_depth(height_m: float, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> NDArray[np.float64]:
    """z-depth [H, W] of a level plane below the camera, by equation: z = h / (down · ray); +inf above the horizon."""
    pitch, roll = math.radians(pitch_deg), math.radians(roll_deg)
    down = (math.sin(roll) * math.cos(pitch), math.cos(roll) * math.cos(pitch), math.sin(pitch))
    y, x = np.mgrid[: CAMERA.height, : CAMERA.width]
    along = (x - CAMERA.cx) / CAMERA.fx * down[0] + (y - CAMERA.cy) / CAMERA.fy * down[1] + down[2]
    return np.where(along > 1e-6, height_m / np.maximum(along, 1e-6), np.inf)


def room(height_m: float = HEIGHT_M, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> NDArray[np.float64]:
    """A floor and a wall straight ahead."""
    return np.minimum(plane_depth(height_m, pitch_deg, roll_deg), FAR_M)


def relative(depth_m: NDArray[np.float64], noise: float = 0.0) -> torch.Tensor:
    """Up to scale: metres over `FAR_M`."""
    noisy = depth_m * np.exp(noise * np.random.default_rng(0).standard_normal(depth_m.shape))
    return torch.from_numpy((noisy / FAR_M).astype(np.float32))


@pytest.mark.parametrize("pitch_deg", [-5.0, 0.0, 20.0, 45.0, 85.0])
@pytest.mark.parametrize("roll_deg", [0.0, -10.0])
def test_exact_floor_gives_the_exact_scale(pitch_deg: float, roll_deg: float) -> None:
    settings = GroundSettings(HEIGHT_M, pitch_deg, roll_deg)
    estimate = scale_from_ground(relative(room(HEIGHT_M, pitch_deg, roll_deg)), CAMERA, settings)
    assert estimate.scale == pytest.approx(FAR_M, rel=1e-3)
    assert estimate.source == "ground_plane"
    assert estimate.metric


def test_share_is_that_of_the_floor_in_the_view() -> None:
    depth = room(pitch_deg=10.0)
    estimate = scale_from_ground(relative(depth), CAMERA, GroundSettings(HEIGHT_M, 10.0))
    assert estimate.share == pytest.approx((depth < FAR_M).mean(), abs=0.05)


@pytest.mark.parametrize("error_deg", [-6.0, 6.0])
def test_a_pitch_that_is_off_by_less_than_the_tilt_allowed_does_no_harm(error_deg: float) -> None:
    settings = GroundSettings(HEIGHT_M, 10.0 + error_deg)
    assert scale_from_ground(relative(room(pitch_deg=10.0)), CAMERA, settings).scale == pytest.approx(FAR_M, rel=0.01)


def test_a_floor_that_is_turned_too_far_is_no_ground() -> None:
    with pytest.raises(NoScale, match="no ground in view"):
        scale_from_ground(relative(room(pitch_deg=30.0)), CAMERA, GroundSettings(HEIGHT_M, 0.0))


def test_noise_of_a_twentieth_moves_it_by_less_than_a_thirtieth() -> None:
    estimate = scale_from_ground(relative(room(pitch_deg=15.0), noise=0.05), CAMERA, GroundSettings(HEIGHT_M, 15.0))
    assert estimate.scale == pytest.approx(FAR_M, rel=1 / 30)


def test_outliers_do_no_harm() -> None:
    depth = room(pitch_deg=15.0)
    rng = np.random.default_rng(0)
    wrong = rng.random(depth.shape) < 0.1
    depth[wrong] = rng.uniform(0.5, FAR_M, depth.shape)[wrong]
    estimate = scale_from_ground(relative(depth, noise=0.02), CAMERA, GroundSettings(HEIGHT_M, 15.0))
    assert estimate.scale == pytest.approx(FAR_M, rel=0.02)


def test_the_floor_is_preferred_to_a_larger_table() -> None:
    """A table 0.5 m below the camera hides all of the floor but the left quarter of the view."""
    depth, table = room(pitch_deg=30.0), plane_depth(0.5, pitch_deg=30.0)
    columns = np.arange(CAMERA.width) >= CAMERA.width // 4
    depth = np.where(columns & (table < depth), table, depth)
    on_table = columns & (depth < np.minimum(FAR_M, 1.01 * table))
    assert on_table.mean() > 2 * (~columns & (depth < FAR_M)).mean()
    estimate = scale_from_ground(relative(depth, noise=0.01), CAMERA, GroundSettings(HEIGHT_M, 30.0))
    assert estimate.scale == pytest.approx(FAR_M, rel=0.02)


def test_a_table_above_too_little_floor_is_refused_rather_than_taken() -> None:
    """The floor is 8 % of the view: too little for a ground, too much to be below one."""
    depth, table = room(pitch_deg=30.0), plane_depth(0.5, pitch_deg=30.0)
    columns = np.arange(CAMERA.width) >= CAMERA.width // 10
    depth = np.where(columns & (table < depth), table, depth)
    with pytest.raises(NoScale, match="no ground in view"):
        scale_from_ground(relative(depth), CAMERA, GroundSettings(HEIGHT_M, 30.0))


def test_the_ceiling_is_no_ground() -> None:
    depth = np.minimum(np.flipud(plane_depth(HEIGHT_M)), FAR_M)
    with pytest.raises(NoScale, match="no ground in view"):
        scale_from_ground(relative(depth), CAMERA, GroundSettings(HEIGHT_M))


def test_a_wall_is_no_ground() -> None:
    with pytest.raises(NoScale, match="no ground in view: only 0"):
        scale_from_ground(torch.full((120, 160), 0.8), CAMERA, GroundSettings(HEIGHT_M))


def test_the_same_input_gives_the_same_scale() -> None:
    p, settings = relative(room(pitch_deg=15.0), noise=0.05), GroundSettings(HEIGHT_M, 15.0)
    assert scale_from_ground(p, CAMERA, settings) == scale_from_ground(p, CAMERA, settings)


def test_unknown_pixels_are_left_out() -> None:
    p = relative(room(pitch_deg=15.0))
    p[::3], p[:, ::7], p[1, :50] = torch.nan, torch.inf, 0.0
    assert scale_from_ground(p, CAMERA, GroundSettings(HEIGHT_M, 15.0)).scale == pytest.approx(FAR_M, rel=5e-3)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, 0.0])
def test_a_map_that_knows_nothing_gives_no_scale(value: float) -> None:
    with pytest.raises(NoScale, match="only 0 pixels have a relative depth"):
        scale_from_ground(torch.full((120, 160), value), CAMERA, GroundSettings(HEIGHT_M))


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (2, 2)])
def test_images_too_small_for_a_surface_give_no_scale(size: tuple[int, int]) -> None:
    with pytest.raises(NoScale):
        scale_from_ground(torch.ones(size), Intrinsics.from_fov(size[1], size[0], 70), GroundSettings(HEIGHT_M))


def test_rendered_rooms_within_three_percent() -> None:
    for scene in indoor_scenes():
        estimate = scale_from_ground(scene.relative(noise=0.02, outliers=0.03), scene.intrinsics, scene.ground)
        assert estimate.scale == pytest.approx(scene.d98_m, rel=0.03)


def test_intrinsics_of_another_size_are_refused() -> None:
    with pytest.raises(InputError, match="160x120"):
        scale_from_ground(torch.ones(60, 80), CAMERA, GroundSettings(HEIGHT_M))


@pytest.mark.parametrize(
    "wrong",
    [
        {"camera_height_m": 0.0},
        {"camera_height_m": math.nan},
        {"pitch_deg": 91.0},
        {"pitch_deg": math.nan},
        {"roll_deg": 200.0},
        {"max_tilt_deg": 60.0},
        {"min_share": -0.1},
        {"tolerance": 0.0},
        {"max_below": 2.0},
        {"seed": -1},
    ],
)
def test_settings_that_no_ground_fits_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        GroundSettings(**{"camera_height_m": HEIGHT_M, **wrong})  # type: ignore[arg-type]


@pytest.mark.slow
def test_vga_takes_less_than_ten_milliseconds_of_a_processor() -> None:
    camera = Intrinsics.from_fov(640, 480, 70)
    p = torch.nn.functional.interpolate(relative(room(pitch_deg=15.0))[None, None], (480, 640), mode="nearest")[0, 0]
    seconds = []
    for _ in range(20):
        start = time.process_time()
        scale_from_ground(p, camera, GroundSettings(HEIGHT_M, 15.0))
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.010
