# SPDX-License-Identifier: Apache-2.0
"""depth_image_proc makes the same cloud of our depth image as we do."""

from __future__ import annotations

import numpy as np

from .conftest import Say
from .models.depth_image_proc import point_cloud_xyz, point_cloud_xyzrgb, sibling_info_topic
from .models.reading import colours, positions
from .rendered import BOX_HALF, BOX_MIDDLE, Scene

FRONT_M = BOX_MIDDLE[0] - BOX_HALF[0]


def test_the_calibration_is_where_image_transport_looks(say: Say, box: Scene) -> None:
    assert {sibling_info_topic(n) for n in ("depth/image", "rgb/image")} <= set(say(box))


def test_it_projects_to_the_scene(say: Say, box: Scene) -> None:
    said = say(box)
    points = box.to_world(point_cloud_xyz(said["depth/image"], said["depth/camera_info"]).reshape(-1, 3))
    nearer = points[points[:, 0] < FRONT_M - 0.01]
    assert len(nearer) > 10_000
    assert np.abs(nearer[:, 2]).max() < 1e-4, "nothing but the ground, at height 0, before the box"
    front = points[np.abs(points[:, 0] - FRONT_M) < 1e-4]
    low, high = front.min(0), front.max(0)
    expected = (BOX_MIDDLE[1] - BOX_HALF[1], 0.0), (BOX_MIDDLE[1] + BOX_HALF[1], 2 * BOX_HALF[2])
    pixel_m = FRONT_M / box.k[0]
    np.testing.assert_allclose((low[1:], high[1:]), expected, atol=1.5 * pixel_m, err_msg="its front")


def test_its_cloud_is_ours_with_the_same_colours(say: Say, box: Scene) -> None:
    said = say(box, edge_filter="off")
    theirs, rgb = point_cloud_xyzrgb(said["depth/image"], said["rgb/image"], said["rgb/camera_info"])
    np.testing.assert_allclose(positions(said["depth/points"]), theirs.reshape(-1, 3), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(colours(said["depth/points"]), rgb.reshape(-1, 3))
    np.testing.assert_array_equal(rgb, box.rgb)


def test_millimetres_are_the_same_to_half_of_one(say: Say, box: Scene) -> None:
    metres, mm = say(box, max_depth_m=60.0), say(box, max_depth_m=60.0, depth_encoding="16UC1")
    expected = point_cloud_xyz(metres["depth/image"], metres["depth/camera_info"])[..., 2]
    np.testing.assert_allclose(
        point_cloud_xyz(mm["depth/image"], mm["depth/camera_info"])[..., 2], expected, rtol=0, atol=5.1e-4
    )
