# SPDX-License-Identifier: Apache-2.0
"""Range sensors: which message belongs to an image, and where it says that things are."""

from __future__ import annotations

import importlib
import math
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rclpy.time import Time
from sensor_msgs.msg import LaserScan, PointCloud2, PointField, Range
from std_msgs.msg import Header

from depthpro_ros.errors import InputError
from depthpro_ros.node.mounting import TfMounting
from depthpro_ros.node.ranges import RangeMessages, range_points
from depthpro_ros.scale import Extrinsics, NoScale, RangeCones

FORWARD = Extrinsics((0.0, 0.1, 0.0), (0.5, -0.5, 0.5, 0.5))
"""A sensor 10 cm below the camera, looking the same way: x forward, y left, z up."""


def header(time_s: float, frame_id: str = "scanner") -> Header:
    result = Header(frame_id=frame_id)
    result.stamp.sec, result.stamp.nanosec = int(time_s), round(time_s % 1 * 1e9)
    return result


class TestWhichMessage:
    def test_the_nearest_stamp_before_or_after_the_image(self) -> None:
        messages = RangeMessages()
        for time_s in (10.0, 10.1, 10.2):
            messages.put(SimpleNamespace(header=header(time_s)))
        assert messages.nearest(header(10.14), 0.05).header == header(10.1)
        assert messages.nearest(header(10.16), 0.05).header == header(10.2)

    def test_none_that_is_too_far(self) -> None:
        messages = RangeMessages()
        with pytest.raises(NoScale, match="no ranges have arrived"):
            messages.nearest(header(10.0), 0.1)
        messages.put(SimpleNamespace(header=header(10.0)))
        with pytest.raises(NoScale, match=r"0\.200 s before the image, ranges_max_age_s is 0\.1"):
            messages.nearest(header(10.2), 0.1)

    def test_time_that_goes_back_forgets_what_came_before(self) -> None:
        messages = RangeMessages()
        messages.put(SimpleNamespace(header=header(100.0)))
        messages.put(SimpleNamespace(header=header(10.0)))
        with pytest.raises(NoScale):
            messages.nearest(header(100.0), 1.0)


class TestPoints:
    def test_a_scans_ray_to_the_left_is_left_in_the_image(self) -> None:
        scan = LaserScan(header=header(7.5), angle_min=0.0, angle_increment=math.pi / 6, range_max=9.0)
        scan.ranges = [2.0, 2.0, math.inf]
        points = range_points(scan, FORWARD)
        expected = [[0, 0.1, 2], [-1, 0.1, math.sqrt(3)]]
        np.testing.assert_allclose(points.xyz_m, expected, atol=1e-6)
        assert points.stamp_s == 7.5

    def test_a_reading_of_a_cone_keeps_its_angle(self) -> None:
        reading = Range(header=header(1.0), field_of_view=0.4, min_range=0.1, max_range=5.0, range=3.0)
        cone = range_points(reading, FORWARD)
        assert isinstance(cone, RangeCones) and cone.half_angle_rad == pytest.approx(0.2)
        np.testing.assert_allclose(cone.xyz_m, [[0, 0.1, 3]], atol=1e-6)

    @pytest.mark.parametrize(("datatype", "dtype"), [(PointField.FLOAT32, "<f4"), (PointField.FLOAT64, "<f8")])
    def test_a_clouds_fields_may_be_anywhere_in_a_point(self, datatype: int, dtype: str) -> None:
        layout = np.dtype([("intensity", "<f4"), ("z", dtype), ("x", dtype), ("y", dtype)])
        points = np.zeros(2, layout)
        points["x"], points["y"], points["z"] = [1, 2], [3, 4], [5, 6]
        fields = [PointField(name=n, offset=layout.fields[n][1], datatype=datatype, count=1) for n in "xyz"]
        cloud = PointCloud2(header=header(1.0), width=2, height=1, point_step=layout.itemsize, fields=fields)
        cloud.row_step = 2 * layout.itemsize
        cloud.data.frombytes(points.tobytes())
        np.testing.assert_allclose(range_points(cloud, Extrinsics()).xyz_m, [[1, 3, 5], [2, 4, 6]])

    def test_a_cloud_without_coordinates_is_refused(self) -> None:
        cloud = PointCloud2(fields=[PointField(name="x", datatype=PointField.INT16, count=1)])
        with pytest.raises(InputError, match="x of type 3: expected x, y and z"):
            range_points(cloud, Extrinsics())


class FakeBuffer:
    """tf's buffer, which knows the transform of one frame, the newest only."""

    def can_transform(self, target: str, source: str, time: Time) -> bool:
        return False

    def lookup_transform(self, target: str, source: str, time: Time) -> Any:
        if source != "scanner" or time.nanoseconds:
            raise sys.modules["tf2_ros"].TransformException(f"{source} does not exist")
        translation = SimpleNamespace(x=1.0, y=2.0, z=3.0)
        rotation = SimpleNamespace(x=0.5, y=-0.5, z=0.5, w=0.5)
        return SimpleNamespace(transform=SimpleNamespace(translation=translation, rotation=rotation))


class TestTf:
    @pytest.fixture
    def mounted(self, monkeypatch: pytest.MonkeyPatch) -> TfMounting:
        """With a stand-in for tf2_ros, which is not installed wherever the tests run."""
        stand_in: Any = ModuleType("tf2_ros")
        stand_in.Buffer, stand_in.TransformException = FakeBuffer, type("TransformException", (Exception,), {})
        stand_in.TransformListener = lambda buffer, node: SimpleNamespace()
        monkeypatch.setitem(sys.modules, "tf2_ros", stand_in)
        assert importlib.import_module("tf2_ros") is stand_in
        return TfMounting(SimpleNamespace())  # type: ignore[arg-type]

    def test_the_transform_is_to_the_images_frame(self, mounted: TfMounting) -> None:
        assert mounted.extrinsics("optical", header(5.0)) == Extrinsics((1.0, 2.0, 3.0), (0.5, -0.5, 0.5, 0.5))

    def test_ranges_in_the_images_frame_need_none(self, mounted: TfMounting) -> None:
        assert mounted.extrinsics("optical", header(5.0, "optical")) == Extrinsics()

    def test_an_unknown_frame_gives_no_scale(self, mounted: TfMounting) -> None:
        with pytest.raises(NoScale, match="no transform from the ranges' frame 'sonar' to the image's 'optical'"):
            mounted.extrinsics("optical", header(5.0, "sonar"))
