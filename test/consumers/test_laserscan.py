# SPDX-License-Identifier: Apache-2.0
"""The scan that depthimage_to_laserscan makes of a corridor, with the parameters of laserscan.launch.py."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import Say, parameters_of
from .models.laserscan import Scan, laser_scan
from .rendered import Scene, distance_to_walls

DEPTH, SCAN = parameters_of("laserscan.yaml", "depth_pro"), parameters_of("laserscan.yaml", "depthimage_to_laserscan")


def scan_of(said: dict, **changes: float) -> Scan:
    parameters = {name: SCAN[name] for name in ("scan_height", "range_min", "range_max")} | changes
    return laser_scan(said["depth/image"], said["depth/camera_info"], **parameters)


def walls(scene: Scene, scan: Scan) -> np.ndarray:
    return distance_to_walls(scene.camera.x_m, scene.camera.y_m, scene.camera.yaw_rad + scan.angles)


@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_the_ranges_are_the_walls_to_two_percent(say: Say, corridor: Scene, encoding: str) -> None:
    scan = scan_of(say(corridor, **DEPTH | {"depth_encoding": encoding}))
    finite = np.isfinite(scan.ranges)
    assert finite.mean() > 0.6
    true = walls(corridor, scan)
    assert np.abs(scan.ranges[finite] / true[finite] - 1).max() < 0.02
    assert scan.ranges[finite].max() > 7 and scan.ranges[finite].min() < 2, "near and far"


def test_what_is_far_is_infinite_not_unknown(say: Say, corridor: Scene) -> None:
    scan = scan_of(say(corridor, **DEPTH))
    depth = walls(corridor, scan) * np.cos(scan.angles)
    far = depth > DEPTH["max_depth_m"] * 1.02
    assert far.sum() > 20
    assert not np.isfinite(scan.ranges[far]).any()
    assert np.isposinf(scan.ranges[far]).sum() > 0.8 * far.sum(), "some directions have no pixel"


def test_a_smaller_range_max_would_make_far_walls_unknown(say: Say, corridor: Scene) -> None:
    scan = scan_of(say(corridor, **DEPTH), range_max=5.0)
    true = walls(corridor, scan)
    between = (true > 5.2) & (true * np.cos(scan.angles) < 0.98 * DEPTH["max_depth_m"])
    assert between.sum() > 20
    assert np.isnan(scan.ranges[between]).all(), "which is why range_max is above what max_depth_m allows"


def test_no_range_that_max_depth_allows_is_above_range_max() -> None:
    widest_deg = 96
    assert DEPTH["max_depth_m"] / np.cos(np.radians(widest_deg / 2)) <= SCAN["range_max"]
