# SPDX-License-Identifier: Apache-2.0
"""Our costmap layers, merged into somebody's Nav2 parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from depthpro_ros.errors import InputError
from depthpro_ros.launching.nav2 import in_namespace, merged, write_parameters

OURS = Path(__file__).parents[2] / "config" / "nav2_costmap.yaml"
THEIRS: dict[str, Any] = {
    "controller_server": {"ros__parameters": {"controller_frequency": 20.0}},
    "local_costmap": {
        "local_costmap": {
            "ros__parameters": {
                "width": 3,
                "plugins": ["static_layer", "inflation_layer"],
                "inflation_layer": {"plugin": "nav2_costmap_2d::InflationLayer"},
                "voxel_layer": {"z_voxels": 8, "observation_sources": "scan", "scan": {"topic": "/scan"}},
            }
        }
    },
}


def local(parameters: dict[str, Any]) -> dict[str, Any]:
    return parameters["local_costmap"]["local_costmap"]["ros__parameters"]


def written(tmp_path: Path, namespace: str = "") -> dict[str, Any]:
    file = tmp_path / "theirs.yaml"
    file.write_text(yaml.safe_dump(THEIRS))
    result = write_parameters(file, OURS, namespace)
    try:
        return yaml.safe_load(result.read_text())
    finally:
        result.unlink()


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    both = written(tmp_path)
    assert both["controller_server"] == THEIRS["controller_server"]
    assert local(both)["width"] == 3
    assert local(both)["voxel_layer"]["scan"] == {"topic": "/scan"}


def test_sources_are_added_to_theirs(tmp_path: Path) -> None:
    layer = local(written(tmp_path))["voxel_layer"]
    assert layer["observation_sources"] == "scan depth_mark depth_clear"
    assert layer["depth_clear"]["clearing"] is True


def test_ours_wins_where_both_name_a_value(tmp_path: Path) -> None:
    assert local(written(tmp_path))["voxel_layer"]["z_voxels"] == 16


def test_layers_come_before_the_one_that_inflates(tmp_path: Path) -> None:
    assert local(written(tmp_path))["plugins"] == ["static_layer", "voxel_layer", "inflation_layer"]
    assert merged({"plugins": ["static_layer"]}, {"plugins": ["voxel_layer"]})["plugins"] == [
        "static_layer",
        "voxel_layer",
    ]


def test_layers_that_are_there_already_are_not_named_twice() -> None:
    theirs = {"plugins": ["voxel_layer", "inflation_layer"]}
    assert merged(theirs, {"plugins": ["voxel_layer"]}) == theirs


@pytest.mark.parametrize(("namespace", "topic"), [("", "/depth/points"), ("/a/b/", "/a/b/depth/points")])
def test_the_topic_is_absolute_and_in_the_depth_nodes_namespace(namespace: str, topic: str) -> None:
    layers = in_namespace(yaml.safe_load(OURS.read_text()), namespace)
    assert local(layers)["voxel_layer"]["depth_mark"]["topic"] == topic


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing.yaml"):
        write_parameters(tmp_path / "missing.yaml", OURS, "")
    text = tmp_path / "text.yaml"
    text.write_text("just text")
    with pytest.raises(InputError, match="holds str, expected a mapping"):
        write_parameters(text, OURS, "")
