# SPDX-License-Identifier: Apache-2.0
"""What octomap_server makes of our cloud, with the parameters of octomap.launch.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .conftest import Say, parameters_of
from .models.octomap import Update, insert
from .models.reading import positions
from .rendered import BOX_HALF, BOX_MIDDLE, Scene

DEPTH, SERVER = parameters_of("octomap.yaml", "depth_pro"), parameters_of("octomap.yaml", "octomap_server")
MAX_RANGE, RESOLUTION = SERVER["sensor_model"]["max_range"], SERVER["resolution"]
IN_THE_SKY = (3.0, 0.5, 1.25)
"""Free air before the sky, as the camera sees it."""


def inserted(say: Say, scene: Scene, **changes: Any) -> Update:
    cloud = positions(say(scene, **DEPTH | changes)["depth/points"])
    return insert(scene.to_world(cloud), scene.sensor, resolution=RESOLUTION, max_range=MAX_RANGE)


@pytest.fixture(scope="module")
def update(say: Say, box: Scene) -> Update:
    return inserted(say, box)


def test_the_box_is_occupied_and_the_way_to_it_free(update: Update, box: Scene) -> None:
    front, y, z = BOX_MIDDLE[0] - BOX_HALF[0], BOX_MIDDLE[1], BOX_MIDDLE[2]
    # the front is the boundary between two voxels
    assert "occupied" in {update.state(front - 0.01, y, z), update.state(front + 0.01, y, z)}
    assert update.state(0.5 * front, 0.5 * y, 0.5 * (z + box.camera.height_m)) == "free"


def test_a_shell_frees_the_air_before_the_sky(update: Update, say: Say, box: Scene) -> None:
    assert update.state(*IN_THE_SKY) == "free"
    assert inserted(say, box, cloud_far="drop").state(*IN_THE_SKY) == "unknown"


def test_nothing_is_occupied_beyond_the_range(update: Update, box: Scene) -> None:
    assert DEPTH["max_depth_m"] > MAX_RANGE, "so that the shell is no wall"
    assert np.linalg.norm(update.occupied_m - box.sensor, axis=1).max() < MAX_RANGE + RESOLUTION
    above_box = BOX_MIDDLE[2] + BOX_HALF[2] + RESOLUTION
    assert (update.occupied_m[:, 2] < above_box).all(), "no point of the sky is"


def test_points_that_are_nan_change_nothing(update: Update, say: Say, box: Scene) -> None:
    said = say(box, **DEPTH | {"cloud_organised": True})
    cloud = positions(said["depth/points"])
    assert np.isnan(cloud).any()
    organised = insert(box.to_world(cloud), box.sensor, resolution=RESOLUTION, max_range=MAX_RANGE)
    np.testing.assert_array_equal(organised.free, update.free)
    np.testing.assert_array_equal(organised.occupied, update.occupied)
