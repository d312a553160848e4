# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import yaml

from depthpro_ros.errors import InputError
from depthpro_ros.node.parameters import TABLE, Settings
from depthpro_ros.pipeline import PipelineSettings

CONFIG = Path(__file__).parents[2] / "config" / "depth.yaml"


def test_yaml_documents_every_parameter_with_its_default() -> None:
    documented = yaml.safe_load(CONFIG.read_text())["/**"]["ros__parameters"]
    assert documented == {s.name: s.default for s in TABLE}


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


@pytest.mark.parametrize("name", ["focal_policy", "estimate", "edge_filter"])
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
        ({"depth_encoding": "mono16"}, "one of 32FC1, 16UC1"),
    ],
)
def test_bad_values_are_refused_with_a_reason(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=re.escape(reason)):
        Settings().replaced(changes)


def test_yaml_spellings_are_understood() -> None:
    # YAML 1.1 and rcl read off, on, true and false as booleans, and 20 as an integer
    settings = Settings().replaced({"edge_filter": False, "input_rectified": True, "max_depth_m": 20})
    assert (settings.edge_filter, settings.input_rectified) == ("off", "true")
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
