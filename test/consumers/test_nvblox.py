# SPDX-License-Identifier: Apache-2.0
"""What nvblox makes of our depth images, with the parameters of nvblox.launch.py."""

from __future__ import annotations

import numpy as np

from .conftest import Say, parameters_of
from .models.nvblox import check_colour, depth_frame, voxel_distance
from .rendered import BOX_HALF, BOX_MIDDLE, Scene

DEPTH, NODE = parameters_of("nvblox.yaml", "depth_pro"), parameters_of("nvblox.yaml", "nvblox_node")
MAPPER = NODE["static_mapper"]
TRUNCATION_M = MAPPER["projective_integrator_truncation_distance_vox"] * NODE["voxel_size"]
MOST_M = MAPPER["projective_integrator_max_integration_distance_m"]
FRONT_M = BOX_MIDDLE[0] - BOX_HALF[0]
"""Depth of the box's front."""


def distances(said: dict, scene: Scene, depths: list[float], y: float, z: float) -> list[float | None]:
    """Of voxels at these depths and this place in the world, as if each were on its own."""
    frame = depth_frame(said["depth/image"], said["depth/camera_info"])
    return [
        voxel_distance(frame, np.array([-y, scene.camera.height_m - z, d]), truncation_m=TRUNCATION_M, most_m=MOST_M)
        for d in depths
    ]


def test_colour_and_calibration_are_taken(say: Say, box: Scene) -> None:
    said = say(box, **DEPTH)
    check_colour(said["rgb/image"], said["rgb/camera_info"])
    frame = depth_frame(said["depth/image"], said["depth/camera_info"])
    assert [frame.fx, frame.fy] == [box.k[0], box.k[4]]


def test_voxels_know_how_far_the_surface_is(say: Say, box: Scene) -> None:
    near, on, behind = distances(say(box, **DEPTH), box, [FRONT_M - 0.1, FRONT_M, FRONT_M + 1], *BOX_MIDDLE[1:])
    np.testing.assert_allclose([near, on], [0.1, 0.0], atol=1e-5)
    assert behind is None, "what is behind a surface stays unknown"


def test_the_sky_frees_space_in_metres_and_says_nothing_in_millimetres(say: Say, box: Scene) -> None:
    height = 1.2
    assert distances(say(box, **DEPTH), box, [3.0], 0.5, height) == [TRUNCATION_M]
    assert distances(say(box, **DEPTH | {"depth_encoding": "16UC1"}), box, [3.0], 0.5, height) == [None]


def test_edges_say_nothing(say: Say, box: Scene) -> None:
    top = BOX_MIDDLE[2] + BOX_HALF[2]
    assert distances(say(box, **DEPTH), box, [FRONT_M], BOX_MIDDLE[1], top - 0.004) == [None]
