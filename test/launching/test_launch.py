# SPDX-License-Identifier: Apache-2.0
"""The launch file, as far as it can be tested where launch is not installed."""

from __future__ import annotations

import importlib.util
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from depthpro_ros.launching import dds_environment
from depthpro_ros.node.parameters import TABLE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def launch_file() -> ModuleType:
    spec = importlib.util.spec_from_file_location("depth_launch", ROOT / "launch" / "depth.launch.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_arguments_have_help_and_files_exist(launch_file: ModuleType) -> None:
    names = [a.name for a in launch_file.ARGUMENTS]
    assert set(names) >= {
        *("image_topic", "camera_info_topic", "cameras", "namespace", "params_file"),
        *("model", "device", "precision", "memory"),
        *("scale_source", "camera_height_m", "ranges_type", "ranges_topic"),
        *("use_sim_time", "rviz", "bag", "dds_profile", "log_level"),
    }
    assert len(set(names)) == len(names)
    for argument in launch_file.ARGUMENTS:
        assert argument.help.endswith(".")
        assert argument.choices is None or argument.default in argument.choices
        if argument.default.startswith("/"):
            assert Path(argument.default).is_file()


def test_overriding_arguments_are_parameters(launch_file: ModuleType) -> None:
    specs = {s.name: s for s in TABLE}
    for argument in launch_file.ARGUMENTS:
        if argument.name in launch_file.PARAMETERS:
            assert argument.default == "", "a default would beat the parameters file"
            assert launch_file.PARAMETERS[argument.name] is type(specs[argument.name].default)
            choices = specs[argument.name].choices
            assert argument.choices == (("", *choices) if choices else None)


def test_several_cameras_are_given_as_text(launch_file: ModuleType) -> None:
    assert launch_file.camera_names("") == []
    assert launch_file.camera_names("[front, 'rear']") == ["front", "rear"]
    for text in ("front", "[1, 2]", "{front: rear}"):
        with pytest.raises(ValueError, match="must be a list of names"):
            launch_file.camera_names(text)


def test_topics_are_relative_to_each_cameras_name(launch_file: ModuleType) -> None:
    topics = {"image": "image_raw", "camera_info": "info"}
    assert launch_file.remappings(topics, []) == [("image", "image_raw"), ("camera_info", "info")]
    assert launch_file.remappings(topics, ["front", "rear"]) == [
        ("front/image", "front/image_raw"),
        ("front/camera_info", "front/info"),
        ("rear/image", "rear/image_raw"),
        ("rear/camera_info", "rear/info"),
    ]
    assert launch_file.remappings({"image": "/camera/image"}, []) == [("image", "/camera/image")]
    with pytest.raises(ValueError, match="'/camera/image' is absolute"):
        launch_file.remappings({"image": "/camera/image"}, ["front"])


@pytest.mark.parametrize(
    ("profile", "environment", "expected"),
    [
        ("/p.xml", {}, {"FASTDDS_DEFAULT_PROFILES_FILE": "/p.xml"}),
        ("/p.xml", {"ROS_DISTRO": "humble"}, {"FASTRTPS_DEFAULT_PROFILES_FILE": "/p.xml"}),
        ("/p.xml", {"FASTDDS_DEFAULT_PROFILES_FILE": "/mine.xml"}, {}),
        ("/p.xml", {"FASTRTPS_DEFAULT_PROFILES_FILE": "/mine.xml"}, {}),
        ("none", {}, {}),
    ],
)
def test_the_users_dds_profile_wins(profile: str, environment: Any, expected: Any) -> None:
    assert dds_environment(profile, environment) == expected


@pytest.mark.parametrize(("namespace", "name"), [("", "depth_pro"), ("/a/b", "a.b.depth_pro"), ("x", "x.depth_pro")])
def test_logger_names(launch_file: ModuleType, namespace: str, name: str) -> None:
    assert launch_file.logger_name(namespace) == name


def test_the_shared_memory_holds_the_largest_messages() -> None:
    root = ElementTree.parse(ROOT / "config" / "fastdds.xml").getroot()
    segment = root.find(".//{*}segment_size")
    assert segment is not None and segment.text is not None
    assert int(segment.text) >= 3 * 1920 * 1080 * 16
    assert {t.text for t in root.findall(".//{*}transport_descriptor/{*}type")} == {"SHM", "UDPv4"}


def test_package_xml_agrees_with_setup() -> None:
    package = ElementTree.parse(ROOT / "package.xml").getroot()
    version = re.search(r'__version__ = "(.+)"', (ROOT / "depthpro_ros" / "__init__.py").read_text())
    assert version is not None and package.findtext("version") == version[1]
    assert package.findtext("name") == "depthpro_ros" and package.get("format") == "3"
    assert package.findtext("export/build_type") == "ament_python"
