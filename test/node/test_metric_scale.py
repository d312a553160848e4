# SPDX-License-Identifier: Apache-2.0
"""Range sensors' messages correct a metric model that is off, on rendered scenes whose true metres are known."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from numpy.typing import NDArray
from sensor_msgs.msg import LaserScan, PointCloud2, PointField, Range
from std_msgs.msg import Header

from depthpro_ros.camera import CameraModel
from depthpro_ros.frame_scale import FrameScale
from depthpro_ros.node.mounting import Mounting, mounting
from depthpro_ros.node.parameters import Settings
from depthpro_ros.node.ranges import range_points
from depthpro_ros.node.scale_status import LEVELS, scale_text, scale_values
from depthpro_ros.pipeline import Pipeline, PipelineSettings
from depthpro_ros.scale import Extrinsics
from test.scale.rendered import Scene, indoor_scenes
from test.test_metric_scale import OFF, MetricModel, off_by, picture

AT_THE_CAMERA = (0.0, 0.0, 0.0, 0.5, -0.5, 0.5, 0.5)
"""x forward, as `ranges_extrinsics` says it."""
BESIDE = (-0.3, 0.2, 0.1, 0.5, -0.5, 0.5, 0.5)
HALF_CONE_RAD = 0.12


def header(frame_id: str = "sensor") -> Header:
    result = Header(frame_id=frame_id)
    result.stamp.sec = 7
    return result


def points_of(scene: Scene) -> NDArray[np.float64]:
    """Every pixel's true point in the optical frame, [H, W, 3], NaN on glass and mirrors."""
    i = scene.intrinsics
    z = scene.depth_m.numpy().astype(np.float64)
    v, u = np.mgrid[: i.height, : i.width]
    return np.stack([(u - i.cx) / i.fx * z, (v - i.cy) / i.fy * z, z], -1)


def scan(scene: Scene, place: Extrinsics) -> LaserScan:
    """What a scanner at the camera's centre sees in its plane."""
    i = scene.intrinsics
    row = points_of(scene)[round(i.cy)]
    angles = -np.arctan2(row[:, 0], row[:, 2])
    known = np.isfinite(angles)
    ranges = np.hypot(row[known, 0], row[known, 2])
    message = LaserScan(header=header(), angle_min=-0.5, angle_increment=0.005, range_min=0.05, range_max=100.0)
    wanted = -0.5 + 0.005 * np.arange(201)
    nearest = np.abs(wanted[:, None] - angles[known][None]).argmin(1)
    message.ranges = ranges[nearest].astype(np.float32).tolist()
    return message


def cloud(scene: Scene, place: Extrinsics) -> PointCloud2:
    """500 of the scene's points in the sensor's frame."""
    points = points_of(scene).reshape(-1, 3)
    points = np.random.default_rng(0).permutation(points[np.isfinite(points).all(1)])[:500]
    points = ((points - np.array(place.translation)) @ place.rotation).astype("<f4")
    fields = [PointField(name=n, offset=4 * k, datatype=PointField.FLOAT32, count=1) for k, n in enumerate("xyz")]
    message = PointCloud2(header=header(), width=500, height=1, point_step=12, row_step=6000, fields=fields)
    message.data.frombytes(points.tobytes())
    return message


def reading(scene: Scene, place: Extrinsics) -> Range:
    """The nearest thing in a cone straight ahead of the camera."""
    points = points_of(scene).reshape(-1, 3)
    points = points[np.isfinite(points).all(1)]
    range_m = np.linalg.norm(points, axis=1)
    inside = points[:, 2] > np.cos(HALF_CONE_RAD) * range_m
    nearest = float(range_m[inside].min())
    return Range(header=header(), field_of_view=2 * HALF_CONE_RAD, min_range=0.05, max_range=50.0, range=nearest)


def tf(monkeypatch: pytest.MonkeyPatch, place: Extrinsics) -> None:
    """A stand-in for tf2_ros, which is not installed wherever the tests run, that knows where the sensor is."""
    x, y, z = place.translation
    rotation = SimpleNamespace(**dict(zip(("x", "y", "z", "w"), place.quaternion, strict=True)))
    transform = SimpleNamespace(translation=SimpleNamespace(x=x, y=y, z=z), rotation=rotation)

    class Buffer:
        def can_transform(self, target: str, source: str, time: object) -> bool:
            return (target, source) == ("optical", "sensor")

        def lookup_transform(self, target: str, source: str, time: object) -> Any:
            assert (target, source) == ("optical", "sensor")
            return SimpleNamespace(transform=transform)

    stand_in: Any = ModuleType("tf2_ros")
    stand_in.__spec__ = SimpleNamespace()
    stand_in.Buffer, stand_in.TransformException = Buffer, type("TransformException", (Exception,), {})
    stand_in.TransformListener = lambda buffer, node: SimpleNamespace(unregister=lambda: None)
    monkeypatch.setitem(sys.modules, "tf2_ros", stand_in)


def mounted(how: str, place: tuple[float, ...], monkeypatch: pytest.MonkeyPatch) -> Mounting:
    """The place as the node comes to know it."""
    if how == "parameter":
        return mounting(SimpleNamespace(), Settings(ranges_extrinsics=place))  # type: ignore[arg-type]
    tf(monkeypatch, Extrinsics.from_list(place))
    return mounting(SimpleNamespace(), Settings())  # type: ignore[arg-type]


@pytest.mark.parametrize("how", ["parameter", "tf"])
@pytest.mark.parametrize(
    ("sensor", "place", "make", "least", "within"),
    [
        ("laser_scan", AT_THE_CAMERA, scan, 7, 0.02),
        ("points", BESIDE, cloud, 8, 0.02),
        # the nearest thing in a cone is a little nearer than what it is compared with
        ("range", AT_THE_CAMERA, reading, 2, 0.1),
    ],
)
def test_a_metric_model_that_is_off_says_true_metres(
    how: str,
    sensor: Any,
    place: tuple[float, ...],
    make: Callable[[Scene, Extrinsics], Any],
    least: int,
    within: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = mounted(how, place, monkeypatch)
    settings = PipelineSettings(scale_source="ranges", ranges_type=sensor)
    given = 0
    for scene in indoor_scenes():
        message = make(scene, Extrinsics.from_list(place))
        ranges = range_points(message, where.extrinsics("optical", message.header))
        camera = CameraModel.from_intrinsics(scene.intrinsics, "optical")
        frame = Pipeline(MetricModel(OFF * scene.depth_m), settings).process(picture(scene), camera, ranges=ranges)
        if frame.depth_m is None:  # a row of shelves, a cone that holds things at many distances: no scale
            continue
        given += 1
        assert off_by(frame, scene) == pytest.approx(1, abs=within)
        assert frame.scale is not None and frame.scale.metric and frame.scale.source == "ranges"
    assert given >= least


def test_a_fixed_factor_is_said_in_the_diagnostics_and_is_no_warning() -> None:
    scene = indoor_scenes()[0]
    camera = CameraModel.from_intrinsics(scene.intrinsics, "optical")
    frame = Pipeline(MetricModel(scene.depth_m), PipelineSettings(fixed_scale=0.8)).process(picture(scene), camera)
    assert isinstance(frame.scale, FrameScale) and LEVELS[frame.scale.state] == DiagnosticStatus.OK
    assert scale_text(frame.scale) == "depth is multiplied by fixed_scale, 0.8"
    values = scale_values(frame.scale)
    assert (values["scale"], values["source"], values["state"], values["metric"]) == ("0.8", "fixed", "fixed", "true")


def test_a_metric_model_without_a_scale_is_an_error_in_the_diagnostics() -> None:
    scene = indoor_scenes()[0]
    camera = CameraModel.from_intrinsics(scene.intrinsics, "optical")
    settings = PipelineSettings(scale_source="ranges", ranges_type="range")
    frame = Pipeline(MetricModel(scene.depth_m), settings).process(picture(scene), camera)
    assert frame.scale is not None and LEVELS[frame.scale.state] == DiagnosticStatus.ERROR
    assert "no valid scale, so no metres: no ranges were measured" in scale_text(frame.scale)
