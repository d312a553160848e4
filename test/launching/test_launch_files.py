# SPDX-License-Identifier: Apache-2.0
"""The launch files: which nodes, parameters and topics follow from their arguments."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from depthpro_ros.errors import InputError
from depthpro_ros.launching import PARAMETERS, ConsumerNode, depth_arguments
from depthpro_ros.node.outputs import TOPICS
from depthpro_ros.node.parameters import TABLE

ROOT = Path(__file__).parents[2]
STACKS = ("rtabmap", "laserscan", "octomap", "nvblox")
ALL = (*STACKS, "nav2", "rectify", "replay", "multi_camera")
NAMES = {a.name for a in depth_arguments(ROOT)}


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{name}_launch", ROOT / "launch" / f"{name}.launch.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def values(module: ModuleType, **given: str) -> dict[str, str]:
    return {a.name: a.default for a in module.ARGUMENTS} | given


def only(nodes: list[ConsumerNode], package: str) -> ConsumerNode:
    (node,) = [n for n in nodes if n.package == package]
    return node


def value_of(node: ConsumerNode, name: str) -> Any:
    """What a node's parameters say, later ones winning."""
    found = None
    for entry in node.parameters:
        if isinstance(entry, str):
            entry = yaml.safe_load(Path(entry).read_text()).get(f"/**/{node.name}", {}).get("ros__parameters", {})
        found = entry.get(name, found)
    return found


@pytest.mark.parametrize("name", ALL)
def test_the_depth_nodes_arguments_are_passed_on(name: str) -> None:
    arguments = load(name).ARGUMENTS
    names = [a.name for a in arguments]
    assert set(names) >= NAMES and len(names) == len(set(names))
    for argument in arguments:
        assert argument.help.endswith("."), argument.name
        assert argument.choices is None or argument.default in argument.choices
        if argument.default.startswith("/"):
            assert Path(argument.default).is_file(), argument.name
        assert argument.name not in PARAMETERS or argument.default == "", "would beat the parameters file"


@pytest.mark.parametrize("name", [*STACKS, "nav2"])
def test_parameters_of_the_depth_node_are_in_its_table_and_not_its_defaults(name: str) -> None:
    sections = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())
    specs = {spec.name: spec for spec in TABLE}
    for parameter, value in sections["/**/depth_pro"]["ros__parameters"].items():
        assert specs[parameter].check(value) == value
        assert specs[parameter].runtime, "so that it can be tried out while the consumer runs"


@pytest.mark.parametrize("name", STACKS)
def test_each_section_of_the_parameters_belongs_to_a_node_that_is_started(name: str) -> None:
    module = load(name)
    given = {"rtabmap_viz": "true"} if name == "rtabmap" else {}
    nodes = module.nodes(values(module, **given))
    sections = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())
    assert set(sections) == {"/**/depth_pro"} | {f"/**/{node.name}" for node in nodes}


@pytest.mark.parametrize("name", STACKS)
def test_a_parameters_file_of_the_users_own_is_everybodys(name: str) -> None:
    module = load(name)
    for node in module.nodes(values(module, params_file="/mine.yaml")):
        assert node.parameters[0] == "/mine.yaml"


def test_rtabmap_reads_our_topics_under_their_own_names() -> None:
    rtabmap = load("rtabmap")
    sync = only(rtabmap.nodes(values(rtabmap)), "rtabmap_sync")
    assert sync.remappings == () and {"rgb/image", "rgb/camera_info", "depth/image"} <= set(TOPICS)
    assert value_of(sync, "approx_sync") is False


def test_rtabmap_makes_odometry_unless_the_robot_has_its_own() -> None:
    rtabmap = load("rtabmap")
    own = rtabmap.nodes(values(rtabmap, base_frame="base", odom_frame="wheels"))
    odometry = only(own, "rtabmap_odom")
    assert value_of(odometry, "subscribe_rgbd") is True and value_of(odometry, "approx_sync") is False
    assert (value_of(odometry, "frame_id"), value_of(odometry, "odom_frame_id")) == ("base", "wheels")
    robots = rtabmap.nodes(values(rtabmap, odom_topic="/wheel/odom"))
    assert "rtabmap_odom" not in [n.package for n in robots]
    assert ("odom", "/wheel/odom") in only(robots, "rtabmap_slam").remappings


@pytest.mark.parametrize(("localization", "incremental"), [("false", "true"), ("true", "false")])
def test_rtabmap_localises_or_maps(localization: str, incremental: str) -> None:
    rtabmap = load("rtabmap")
    slam = only(rtabmap.nodes(values(rtabmap, localization=localization, new_map="true")), "rtabmap_slam")
    assert value_of(slam, "Mem/IncrementalMemory") == incremental
    assert value_of(slam, "Mem/InitWMWithAllNodes") == localization
    assert value_of(slam, "delete_db_on_start") is True and value_of(slam, "subscribe_rgbd") is True


def test_rtabmaps_own_parameters_are_texts() -> None:
    for section in yaml.safe_load((ROOT / "config" / "rtabmap.yaml").read_text()).values():
        for name, value in section["ros__parameters"].items():
            assert "/" not in name or isinstance(value, str), name


def test_each_camera_has_a_scan() -> None:
    laserscan = load("laserscan")
    (one,) = laserscan.nodes(values(laserscan, scan_frame="mast", scan_topic="/scan"))
    assert one.camera == "" and value_of(one, "output_frame") == "mast"
    assert dict(one.remappings) == {
        "depth": "depth/image",
        "depth_camera_info": "depth/camera_info",
        "scan": "/scan",
    }
    front, rear = laserscan.nodes(values(laserscan, cameras="[front, rear]"))
    assert (front.camera, rear.camera) == ("front", "rear")
    assert value_of(rear, "output_frame") == "rear_link" and rear.name == front.name


def test_octomap_reads_the_cloud() -> None:
    octomap = load("octomap")
    (server,) = octomap.nodes(values(octomap, map_frame="world", octomap_file="/m.bt"))
    assert server.remappings == (("cloud_in", "depth/points"),)
    assert (value_of(server, "frame_id"), value_of(server, "octomap_path")) == ("world", "/m.bt")
    (server,) = octomap.nodes(values(octomap))
    assert value_of(server, "octomap_path") is None


def test_nvblox_reads_up_to_four_cameras() -> None:
    nvblox = load("nvblox")
    (node,) = nvblox.nodes(values(nvblox))
    assert dict(node.remappings) == {
        "camera_0/depth/image": "depth/image",
        "camera_0/depth/camera_info": "depth/camera_info",
        "camera_0/color/image": "rgb/image",
        "camera_0/color/camera_info": "rgb/camera_info",
    }
    (node,) = nvblox.nodes(values(nvblox, cameras="[front, rear]"))
    assert dict(node.remappings)["camera_1/color/image"] == "rear/rgb/image" and value_of(node, "num_cameras") == 2
    with pytest.raises(InputError, match="5 names, and nvblox reads at most 4"):
        nvblox.nodes(values(nvblox, cameras="[a, b, c, d, e]"))
    assert "apt repository" in node.remedy


@pytest.mark.parametrize(
    ("given", "topics"),
    [
        ({"image_topic": "/c/image_raw"}, ("/c/image_raw", "/c/camera_info", "/c/image_rect")),
        ({"image_topic": "image"}, ("image", "camera_info", "image_rect")),
        ({"image_topic": "image_raw", "camera_info_topic": "info"}, ("image_raw", "info", "image_rect")),
    ],
)
def test_the_rectified_image_is_beside_the_raw_one(given: dict[str, str], topics: tuple[str, str, str]) -> None:
    rectify = load("rectify")
    (node,) = rectify.nodes(values(rectify, **given))
    assert tuple(dict(node.remappings)[n] for n in ("image", "camera_info", "image_rect")) == topics
    both = rectify.nodes(values(rectify, **given, cameras="[front, rear]"))
    assert [n.camera for n in both] == ["front", "rear"]


def test_one_node_has_all_cameras() -> None:
    multi = load("multi_camera")
    (one,) = multi.started(values(multi, cameras="[front, rear]", bag="/b"))
    assert one == {"bag": "", "use_sim_time": "true"}, "the recording is played once, and its clock is used"


def test_each_camera_has_a_node_and_a_device_in_turn() -> None:
    multi = load("multi_camera")
    given = {"cameras": "[a, b, c]", "nodes": "each", "devices": "['cuda:0', 'cuda:1']", "namespace": "robot"}
    started = multi.started(values(multi, **given, rviz="true"))
    assert [s["namespace"] for s in started] == ["robot/a", "robot/b", "robot/c"]
    assert [s["device"] for s in started] == ["cuda:0", "cuda:1", "cuda:0"]
    assert [s["rviz"] for s in started] == ["true", "false", "false"]
    assert {s["cameras"] for s in started} == {""}


def test_several_cameras_need_names_and_relative_topics() -> None:
    multi = load("multi_camera")
    with pytest.raises(InputError, match="cameras is empty"):
        multi.started(values(multi))
    with pytest.raises(ValueError, match="'/camera/image' is absolute"):
        multi.started(values(multi, cameras="[a, b]", nodes="each", image_topic="/camera/image"))
    with pytest.raises(InputError, match="one node has one device"):
        multi.started(values(multi, cameras="[a, b]", devices="[cpu]"))


def test_a_recording_is_played_as_asked() -> None:
    replay = load("replay")
    asked = values(replay, bag="/b", rate="0.5", loop="true", topics="[/image, /tf]")
    assert " ".join(replay.bag_options(asked)) == "--rate 0.5 --start-offset 0.0 --loop --topics /image /tf"
    with pytest.raises(InputError, match="bag is empty"):
        replay.bag_options(values(replay))
    with pytest.raises(InputError, match="rate is 'fast'"):
        replay.bag_options(values(replay, bag="/b", rate="fast"))


@pytest.mark.parametrize("name", ["rtabmap", "octomap"])
def test_consumers_of_one_camera_say_so(name: str) -> None:
    module = load(name)
    with pytest.raises(InputError, match="reads one camera"):
        module.nodes(values(module, cameras="[a, b]"))


@pytest.mark.parametrize("name", ["depth", *ALL])
def test_launch_reads_it(name: str) -> None:
    pytest.importorskip("launch_ros", reason="launch_ros comes with ROS distributions and is not on PyPI")
    description = load(name).generate_launch_description()
    shown = {argument.name for argument in description.get_launch_arguments()}
    assert shown == {argument.name for argument in load(name).ARGUMENTS}
