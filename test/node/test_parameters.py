# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from rclpy.exceptions import ParameterException
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter

from depthpro_ros.errors import InputError
from depthpro_ros.node.compressed import Encodings
from depthpro_ros.node.parameters import LOADING, TABLE, Settings, declare
from depthpro_ros.pipeline import PipelineSettings

CONFIG = Path(__file__).parents[2] / "config" / "depth.yaml"


def test_yaml_documents_every_parameter_with_its_default() -> None:
    documented = yaml.safe_load(CONFIG.read_text())["/**"]["ros__parameters"]
    assert documented == {s.name: [] if s.default == () else s.default for s in TABLE}


def test_yaml_repeats_help_and_says_what_changes_at_run_time() -> None:
    text = CONFIG.read_text()
    for spec in TABLE:
        comment = re.search(rf"((?:    #.*\n)+)    {spec.name}: ", text)
        assert comment, f"{spec.name} has no comment"
        words = " ".join(comment[1].replace("#", " ").split())
        assert spec.help in words
        assert ("[runtime]" in words) == spec.runtime
        assert all(choice in words for choice in spec.choices)


def test_the_pipeline_has_the_same_defaults() -> None:
    assert Settings().pipeline("/camera/image_raw") == PipelineSettings()


@pytest.mark.parametrize(
    "name", ["focal_policy", "estimate", "edge_filter", "scale_source", "ranges_type", "cloud_far"]
)
def test_choices_are_those_of_the_pipeline(name: str) -> None:
    spec = next(s for s in TABLE if s.name == name)
    assert spec.choices == get_args(get_type_hints(PipelineSettings)[name])


def test_every_pipeline_setting_is_a_parameter() -> None:
    names = {s.name for s in TABLE}
    assert {f.name for f in dataclasses.fields(PipelineSettings)} <= names


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"min_depth_m": 90.0}, "0 <= min < max"),
        ({"focal_policy": "fixed"}, "needs fixed_focal_px above 0"),
        ({"focal_policy": "guess"}, "one of auto, camera_info, estimated, fixed"),
        ({"focal_policy": "estimated", "estimate": "never"}, "needs the estimate"),
        ({"cloud_stride": 0}, "cloud_stride must be"),
        ({"cloud_stride": 1.5}, "cloud_stride must be int"),
        ({"edge_ratio": float("nan")}, "edge_ratio must be"),
        ({"edge_ratio": "0.1"}, "edge_ratio must be float"),
        ({"cloud_organised": 1}, "cloud_organised must be bool"),
        ({"max_depth_m": True}, "max_depth_m must be float"),
        ({"cloud_voxel_m": 1e-5}, "must be 0 or at least max_depth_m / 100000, which is 0.0008 metres"),
        ({"cloud_far": "sky"}, "one of drop, shell"),
        ({"preview_near_m": 5.0, "preview_far_m": 5.0}, "preview_near_m 5.0 must be less than preview_far_m 5.0"),
        ({"max_rate_hz": -1.0}, "max_rate_hz must be 0.0 to 1000.0"),
        ({"png_level": 10}, "png_level must be 0 to 9"),
        ({"depth_encoding": "mono16"}, "one of 32FC1, 16UC1"),
        ({"max_batch": -1}, "max_batch must be 0 to 64"),
        ({"quantise": "int4"}, "one of off, int8, fp8"),
        ({"reuse_tiles": 65.0}, "reuse_tiles must be 0.0 to 64.0"),
        ({"cameras": "front"}, "cameras must be a list of texts, such as ['front', 'rear']; it is 'front'"),
        ({"cameras": [1, 2]}, "cameras must be a list of texts"),
        ({"cameras": ["front", ""]}, "cameras has ''"),
        ({"cameras": ["front/left"]}, "cameras has 'front/left', which cannot be a part of a topic's name"),
        ({"cameras": ["2nd"]}, "not a digit first"),
        ({"cameras": ["front", "rear", "front"]}, "cameras has 'front' 2 times"),
        ({"scale_source": "ranges"}, "set ranges_type to laser_scan, range or points"),
        ({"scale_source": "ground_plane"}, "needs camera_height_m above 0 metres"),
        ({"scale_source": "assumed"}, "needs assumed_d98_m above 0 metres"),
        ({"ranges_extrinsics": "0 0 0"}, "ranges_extrinsics must be a list of numbers, such as [0.0, 1.0]"),
        ({"ranges_extrinsics": [0.0, True]}, "ranges_extrinsics must be a list of numbers"),
        ({"ranges_extrinsics": [0.0, 0.0, 1.0]}, "extrinsics have 3 numbers, expected seven"),
        ({"ranges_extrinsics": [0.0] * 7}, "has the length 0, expected 1"),
    ],
)
def test_bad_values_are_refused_with_a_reason(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=re.escape(reason)):
        Settings().replaced(changes)


def test_yaml_spellings_are_understood() -> None:
    # YAML 1.1 and rcl read off, on, true and false as booleans, and 20 as an integer
    settings = Settings().replaced(
        {"edge_filter": False, "quantise": False, "input_rectified": True, "max_depth_m": 20}
    )
    assert (settings.edge_filter, settings.quantise, settings.input_rectified) == ("off", "off", "true")
    assert settings.max_depth_m == 20.0 and type(settings.max_depth_m) is float


@pytest.mark.parametrize(
    ("value", "topic", "rectified"),
    [
        ("auto", "/camera/image_rect", True),
        ("auto", "/camera/image_rect_color", True),
        ("auto", "/rect/image_raw", False),
        ("true", "/camera/image_raw", True),
        ("false", "/camera/image_rect", False),
    ],
)
def test_rectified_is_told_by_the_last_part_of_the_topic(value: str, topic: str, rectified: bool) -> None:
    assert Settings(input_rectified=value).pipeline(topic).input_rectified is rectified


def test_descriptors_leave_floats_continuous() -> None:
    for spec in TABLE:
        descriptor = spec.descriptor()
        assert descriptor.description and descriptor.read_only is not spec.runtime
        for bounds in [*descriptor.floating_point_range, *descriptor.integer_range]:
            assert bounds.step == 0
            assert (bounds.from_value, bounds.to_value) == spec.bounds


def test_what_the_model_is_loaded_with() -> None:
    assert set(Settings().load_options) == set(LOADING)
    assert Settings(memory="low").load_options["memory"] == "low"


def test_decoding_is_handed_on_only_where_it_is_chosen() -> None:
    chosen = Settings(decoding="sampled", samples=9)
    assert {n: v for n, v in chosen.load_options.items() if n not in LOADING} == {"decoding": "sampled", "samples": 9}
    assert set(chosen.reference_load_options) == set(LOADING)


def test_encodings_are_those_of_the_table() -> None:
    values = {"png_level": 7, "jpeg_quality": 33, "preview_near_m": 0.5, "preview_far_m": 12.0}
    assert Settings().encodings == Encodings()
    assert Settings(depth_encoding="16UC1", **values).encodings == Encodings("16UC1", 7, 33, 0.5, 12.0)


def test_only_inexact_options_are_called_approximate() -> None:
    assert Settings(precision="float16", memory="low", accelerate="eager", focal_check_every=5).approximations == ""
    chosen = Settings(resolution="half", quantise="int8", reuse_tiles=2.5)
    assert chosen.approximations == "resolution half, quantise int8, reuse_tiles 2.5"


class TestCamerasOfARealNode:
    """rcl, rclpy and YAML each have their own idea of an empty list and of its type."""

    @pytest.fixture
    def declared(self) -> Iterator[Callable[..., tuple[Settings, Parameter]]]:
        nodes: list[LifecycleNode] = []

        def declared(*arguments: str) -> tuple[Settings, Parameter]:
            nodes.append(LifecycleNode("depth_pro", cli_args=["--ros-args", *arguments]))
            settings = declare(nodes[-1])
            return settings, nodes[-1].get_parameter("cameras")

        yield declared
        for node in nodes:
            node.destroy_node()

    @pytest.mark.parametrize(
        ("yaml_text", "names"),
        [
            (None, ()),
            ("[]", ()),
            ("[front, rear]", ("front", "rear")),
            ("['on', \"2d\"]", None),
            ("['on']", ("on",)),
        ],
    )
    @pytest.mark.parametrize("from_file", [True, False], ids=["file", "command line"])
    def test_lists_of_texts(
        self, declared: Callable[..., Any], tmp_path: Path, yaml_text: str | None, names: Any, from_file: bool
    ) -> None:
        arguments: tuple[str, ...] = ()
        if yaml_text is not None and from_file:
            (tmp_path / "p.yaml").write_text(f"/**:\n  ros__parameters:\n    cameras: {yaml_text}\n")
            arguments = ("--params-file", str(tmp_path / "p.yaml"))
        elif yaml_text is not None:
            arguments = ("-p", f"cameras:={yaml_text}")
        if names is None:
            with pytest.raises(InputError, match="2d"):
                declared(*arguments)
            return
        settings, parameter = declared(*arguments)
        assert settings.cameras == names
        assert parameter.type_ == Parameter.Type.STRING_ARRAY and tuple(parameter.value) == names

    @pytest.mark.parametrize("text", ["front", "[1, 2]", "[true]"])
    def test_other_types_are_refused(self, declared: Callable[..., Any], text: str) -> None:
        with pytest.raises((InputError, ParameterException), match="cameras"):
            declared("-p", f"cameras:={text}")

    @pytest.mark.parametrize(
        ("yaml_text", "numbers"),
        [
            ("[]", ()),
            ("[0.0, 0.0, 0.1, 0.5, -0.5, 0.5, 0.5]", (0.0, 0.0, 0.1, 0.5, -0.5, 0.5, 0.5)),
            ("[0, 0, 1, 0, 0, 0, 1]", (0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)),
        ],
    )
    def test_lists_of_numbers(self, declared: Callable[..., Any], yaml_text: str, numbers: tuple[float, ...]) -> None:
        node = LifecycleNode("numbers", cli_args=["--ros-args", "-p", f"ranges_extrinsics:={yaml_text}"])
        assert declare(node).ranges_extrinsics == numbers
        parameter = node.get_parameter("ranges_extrinsics")
        assert parameter.type_ == Parameter.Type.DOUBLE_ARRAY and tuple(parameter.value) == numbers
        (result,) = node.set_parameters([Parameter("ranges_extrinsics", value=[1.0])])
        assert not result.successful and "read-only" in result.reason
        node.destroy_node()

    def test_the_shipped_file_is_read(self, declared: Callable[..., Any]) -> None:
        assert declared("--params-file", str(CONFIG))[0] == Settings()

    def test_the_example_with_two_cameras_is_read(self, declared: Callable[..., Any]) -> None:
        example = CONFIG.with_name("two_cameras.yaml")
        assert set(yaml.safe_load(example.read_text())["/**"]["ros__parameters"]) <= {s.name for s in TABLE}
        assert declared("--params-file", str(example))[0].cameras == ("front", "rear")

    def test_they_are_read_only(self, declared: Callable[..., Any]) -> None:
        node = LifecycleNode("another")
        declare(node)
        (result,) = node.set_parameters([Parameter("cameras", value=["front"])])
        assert not result.successful and "read-only" in result.reason
        assert node.describe_parameter("cameras").type == Parameter.Type.STRING_ARRAY.value
        node.destroy_node()
