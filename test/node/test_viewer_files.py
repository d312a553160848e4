# SPDX-License-Identifier: Apache-2.0
"""RViz's configurations and Foxglove's layout name topics that exist, with the types that their displays take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from depthpro_ros.node.outputs import TOPICS

CONFIG = Path(__file__).parents[2] / "config"
CAMERAS = ("front", "rear")
KNOWN = (
    dict(TOPICS)
    | {f"{camera}/{name}": type_ for camera in CAMERAS for name, type_ in TOPICS.items()}
    | {"image": Image, "/diagnostics": DiagnosticArray}
)
"""What the node has, alone or with the cameras that the configuration for several is made for."""
OF_OTHERS = {
    "map": "OccupancyGrid",  # Nav2, RTAB-Map
    "cloud_map": "PointCloud2",  # RTAB-Map
    "octomap_point_cloud_centers": "PointCloud2",  # octomap_server
    "scan": "LaserScan",  # depthimage_to_laserscan
}
DISPLAYS = {"PointCloud2": "PointCloud2", "Image": "Image", "Map": "OccupancyGrid", "LaserScan": "LaserScan"}
"""The type that a display takes."""
RVIZ = sorted(CONFIG.glob("*.rviz"))


def displays(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Class and properties of each display that has a topic."""
    for display in yaml.safe_load(path.read_text())["Visualization Manager"]["Displays"]:
        if "Topic" in display:
            yield display["Class"].rpartition("/")[2], display


def test_there_is_one_for_each_use() -> None:
    assert {p.stem for p in RVIZ} == {"depth", "multi_camera", "mapping"}


@pytest.mark.parametrize("path", RVIZ, ids=lambda p: p.stem)
def test_rvizs_topics_exist_and_have_their_displays_type(path: Path) -> None:
    known = {name: type_.__name__ for name, type_ in KNOWN.items()} | OF_OTHERS
    found = {display["Topic"]["Value"]: DISPLAYS[kind] for kind, display in displays(path)}
    assert found and {topic: known.get(topic) for topic in found} == found


@pytest.mark.parametrize("path", RVIZ, ids=lambda p: p.stem)
def test_rviz_can_hear_the_node_and_names_are_unique(path: Path) -> None:
    names = []
    for _, display in displays(path):
        names.append(display["Name"])
        topic = display["Topic"]
        # relative, so that they follow the namespace that RViz is started in
        assert not topic["Value"].startswith("/")
        assert topic["Durability Policy"] == "Volatile" or topic["Value"] in OF_OTHERS
        assert topic["Reliability Policy"] in ("Reliable", "Best Effort")
    assert len(set(names)) == len(names)


@pytest.fixture(scope="module")
def layout() -> dict[str, Any]:
    return json.loads((CONFIG / "foxglove.json").read_text())


def test_foxgloves_panels_are_all_placed_once(layout: dict[str, Any]) -> None:
    def leaves(node: Any) -> list[str]:
        return [node] if isinstance(node, str) else leaves(node["first"]) + leaves(node["second"])

    assert sorted(leaves(layout["layout"])) == sorted(layout["configById"])


def test_foxgloves_topics_exist_and_have_their_panels_type(layout: dict[str, Any]) -> None:
    known = {f"/{name.lstrip('/')}": type_ for name, type_ in KNOWN.items()}
    panels = layout["configById"]
    shown = set(panels["3D!cloud"]["topics"])
    assert {known[topic] for topic in shown} == {PointCloud2, CameraInfo}
    for name in ("Image!rgb", "Image!depth", "Image!preview"):
        mode = panels[name]["imageMode"]
        assert known[mode["imageTopic"]].__name__ in ("Image", "CompressedImage")
        if "calibrationTopic" in mode:
            assert known[mode["calibrationTopic"]] is CameraInfo
            siblings = [mode[key].rpartition("/")[0] for key in ("imageTopic", "calibrationTopic")]
            assert siblings[0] == siblings[1]
    assert known[panels["DiagnosticSummary!all"]["topicToRender"]] is DiagnosticArray


def test_foxglove_plots_fields_that_the_messages_have(layout: dict[str, Any]) -> None:
    for path in layout["configById"]["Plot!focal"]["paths"]:
        topic, _, field = path["value"].partition(".")
        message = KNOWN[topic.lstrip("/")]()
        assert getattr(message, field.partition("[")[0]) is not None
