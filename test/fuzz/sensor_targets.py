# SPDX-License-Identifier: Apache-2.0
"""CameraInfo, and the messages of range sensors."""

from __future__ import annotations

import array
import struct
from collections.abc import Sequence

import numpy as np
from sensor_msgs.msg import CameraInfo, LaserScan, PointCloud2, PointField, Range

from depthpro_ros.camera import DISTORTION_COEFFICIENTS, Rectifier
from depthpro_ros.node.messages import camera_info as to_message
from depthpro_ros.node.messages import camera_model
from depthpro_ros.node.ranges import range_points
from depthpro_ros.scale import Extrinsics
from test.fuzz.target import Target

_MODELS = (*DISTORTION_COEFFICIENTS, "", "thin_prism")
_CAMERA = struct.Struct("<IIIIIIIIBB9d9d12d")
_CLOUD = struct.Struct("<IIIIB3I3B")
_SCAN = struct.Struct("<4f")
WIDTH, HEIGHT = 16, 12
_EXTRINSICS = Extrinsics.from_list((0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 1.0))


def camera_info(content: bytes) -> None:
    """Size, binning, region and the number of a distortion model; K, R, P; then coefficients as long as bytes last."""
    if len(content) < _CAMERA.size:
        return
    width, height, bin_x, bin_y, *roi, model, rectified, _ = (*_CAMERA.unpack_from(content)[:10], 0)
    matrices = _CAMERA.unpack_from(content)[10:]
    rest = content[_CAMERA.size :]
    info = CameraInfo(width=width, height=height, binning_x=bin_x, binning_y=bin_y)
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = roi
    info.distortion_model = _MODELS[model % len(_MODELS)]
    info.k, info.r, info.p = matrices[:9], matrices[9:18], matrices[18:]
    info.d = list(struct.unpack_from(f"<{len(rest) // 8}d", rest))
    camera = camera_model(info)
    assert camera.distorted in (False, True) and to_message(camera, info.header).width == width
    intrinsics = camera.intrinsics(WIDTH, HEIGHT, rectified=bool(rectified & 1))
    assert intrinsics.fx > 0
    camera.without_distortion().intrinsics(WIDTH, HEIGHT, rectified=True)
    rectified_image = Rectifier(camera, WIDTH, HEIGHT)(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    assert rectified_image.shape == (HEIGHT, WIDTH, 3)


def _camera_infos() -> Sequence[bytes]:
    k, r = (20.0, 0, 8, 0, 20, 6, 0, 0, 1), (1, 0, 0, 0, 1, 0, 0, 0, 1)
    p = (20.0, 0, 8, 0, 0, 20, 6, 0, 0, 0, 1, 0)
    made = []
    for number, counts in enumerate(DISTORTION_COEFFICIENTS.values()):
        for rectified in (0, 1):
            head = _CAMERA.pack(WIDTH, HEIGHT, 0, 0, 0, 0, 0, 0, number, rectified, *k, *r, *p)
            made.append(head + struct.pack(f"<{counts[0]}d", *(0.01 * i for i in range(counts[0]))))
    made.append(_CAMERA.pack(2 * WIDTH, 2 * HEIGHT, 2, 2, 0, 0, 2 * WIDTH, 2 * HEIGHT, 0, 0, *k, *r, *p) + bytes(40))
    return made


def point_cloud(content: bytes) -> None:
    """Size, steps and byte order; offsets and types of x, y and z; then the data."""
    if len(content) < _CLOUD.size:
        return
    height, width, point_step, row_step, big_endian, *fields = _CLOUD.unpack_from(content)
    message = PointCloud2(height=height, width=width, point_step=point_step, row_step=row_step)
    message.is_bigendian = bool(big_endian)
    message.fields = [
        PointField(name=name, offset=offset, datatype=kind, count=1)
        for name, offset, kind in zip("xyz", fields[:3], fields[3:], strict=True)
    ]
    message.data = array.array("B", content[_CLOUD.size :])
    found = range_points(message, _EXTRINSICS)
    assert found.xyz_m.shape[1] == 3


def _point_clouds() -> Sequence[bytes]:
    points = np.arange(24, dtype="<f4").reshape(2, 3, 4)
    wide = np.arange(24, dtype=">f8").reshape(2, 3, 4)
    return [
        _CLOUD.pack(2, 3, 16, 48, 0, 0, 4, 8, 7, 7, 7) + points.tobytes(),
        _CLOUD.pack(2, 3, 32, 96, 1, 0, 8, 16, 8, 8, 8) + wide.tobytes(),
    ]


def laser_scan(content: bytes) -> None:
    """Angles and limits, then the ranges; the first of them also as a Range message."""
    if len(content) < _SCAN.size:
        return
    angle_min, increment, range_min, range_max = _SCAN.unpack_from(content)
    rest = content[_SCAN.size :]
    ranges = array.array("f", rest[: len(rest) // 4 * 4])
    scan = LaserScan(angle_min=angle_min, angle_increment=increment, range_min=range_min, range_max=range_max)
    scan.ranges = ranges
    assert range_points(scan, _EXTRINSICS).xyz_m.shape[1] == 3
    single = Range(min_range=range_min, max_range=range_max, field_of_view=increment)
    single.range = ranges[0] if ranges else 0.0
    assert len(range_points(single, _EXTRINSICS).xyz_m) <= 1


TARGETS = (
    Target("camera_info", camera_info, _camera_infos),
    Target("point_cloud", point_cloud, _point_clouds),
    Target("laser_scan", laser_scan, lambda: [_SCAN.pack(-1.0, 0.1, 0.1, 10.0) + np.arange(20, dtype="<f4").tobytes()]),
)
