# SPDX-License-Identifier: Apache-2.0
"""What Nav2's costmap layers make of our cloud, with the parameters of nav2.launch.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import yaml

from ..node.harness import ROOT
from .conftest import Say, parameters_of
from .models.costmap import Layer
from .models.reading import positions
from .rendered import BOX_HALF, BOX_MIDDLE, Scene

DEPTH = parameters_of("nav2.yaml", "depth_pro")
COSTMAPS = yaml.safe_load((ROOT / "config" / "nav2_costmap.yaml").read_text())
STALE = (3.0, 0.6)
"""Where something once stood that is gone: at the height of the sky, as the camera sees it."""


def layer(name: str) -> dict[str, Any]:
    costmap = {"voxel_layer": "local_costmap", "obstacle_layer": "global_costmap"}[name]
    return COSTMAPS[costmap][costmap]["ros__parameters"][name]


def updated(parameters: Mapping[str, Any], said: dict[str, Any], scene: Scene, *, is_voxels: bool = True) -> Layer:
    made = Layer(parameters, is_voxels)
    made.mark_column(*STALE, 0.7, 1.3)
    made.update(scene.to_world(positions(said["depth/points"])), scene.sensor)
    return made


@pytest.mark.parametrize("name", ["voxel_layer", "obstacle_layer"])
def test_the_box_is_marked_and_the_ground_is_not(say: Say, box: Scene, name: str) -> None:
    made = updated(layer(name), say(box, **DEPTH), box, is_voxels=name == "voxel_layer")
    cells = made.lethal_cells_m()
    near_box = (np.abs(cells - BOX_MIDDLE[:2]) < np.array(BOX_HALF[:2]) + made.resolution).all(-1)
    stale = (np.abs(cells - STALE) < made.resolution).all(-1)
    assert near_box.sum() >= 2 * BOX_HALF[1] / made.resolution - 1, "its front"
    assert (near_box | stale).all(), "nothing else: neither ground nor the points at max_depth_m"


def test_a_shell_lets_the_sky_clear_what_is_gone(say: Say, box: Scene) -> None:
    assert not updated(layer("voxel_layer"), say(box, **DEPTH), box).lethal(*STALE)


def test_without_a_shell_the_sky_clears_nothing(say: Say, box: Scene) -> None:
    assert updated(layer("voxel_layer"), say(box, **DEPTH | {"cloud_far": "drop"}), box).lethal(*STALE)


def test_the_clearing_source_needs_heights_of_its_own(say: Say, box: Scene) -> None:
    ours = layer("voxel_layer")
    heights = {name: ours["depth_mark"][name] for name in ("min_obstacle_height", "max_obstacle_height")}
    cut = ours | {"depth_clear": ours["depth_clear"] | heights}
    assert updated(cut, say(box, **DEPTH), box).lethal(*STALE), "rays that end high up are dropped with their points"


def test_a_camera_above_the_grid_clears_nothing(say: Say, box: Scene) -> None:
    low = layer("voxel_layer") | {"z_resolution": 0.03}
    assert box.camera.height_m > low["z_voxels"] * low["z_resolution"]
    made = Layer(low)
    made.marked[:] = True
    made.update(box.to_world(positions(say(box, **DEPTH)["depth/points"])), box.sensor)
    assert made.marked.all()
    assert layer("voxel_layer")["z_voxels"] <= 16, "more are not possible"


def test_organised_clouds_with_nan_are_read_too(say: Say, box: Scene) -> None:
    said = say(box, **DEPTH | {"cloud_voxel_m": 0.0, "cloud_stride": 2})
    assert np.isnan(positions(said["depth/points"])).any(), "edges"
    made = updated(layer("voxel_layer"), said, box)
    front = BOX_MIDDLE[0] - BOX_HALF[0]
    # the front is the boundary between two cells
    assert made.lethal(front - 0.01, BOX_MIDDLE[1]) or made.lethal(front + 0.01, BOX_MIDDLE[1])
    assert not made.lethal(*STALE)


def test_ranges_are_in_the_order_that_the_policy_needs() -> None:
    for source in (
        layer("voxel_layer")["depth_mark"] | layer("voxel_layer")["depth_clear"],
        layer("obstacle_layer")["depth"],
    ):
        assert source["obstacle_max_range"] < source["raytrace_max_range"] < DEPTH["max_depth_m"]
