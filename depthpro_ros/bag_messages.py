# SPDX-License-Identifier: Apache-2.0
"""What a bag's messages say, as rosbags reads them: stamps, calibrations, pixels and depth."""

from __future__ import annotations

import struct
import sys
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros import images
from depthpro_ros.camera import CameraModel
from depthpro_ros.compressed_depth import unpack_depth
from depthpro_ros.errors import InputError

IMAGE, COMPRESSED, INFO = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/CameraInfo"
DEPTH_TYPES = {"32FC1": (np.float32, 1.0), "16UC1": (np.uint16, 1000.0), "mono16": (np.uint16, 1000.0)}
"""Depth encodings (REP 118; several cameras say mono16 for 16UC1): type, and values per metre."""


def stamp_ns(raw: bytes, is_ros2: bool) -> int:
    """The stamp of a message that starts with a header, without the cost of reading the rest.

    CDR: 4 bytes, the second of which tells the byte order, then seconds and nanoseconds. ROS 1: a number, then these.

    Raises:
        InputError: too few bytes.
    """
    if len(raw) < 12:
        raise InputError(f"a message of {len(raw)} bytes has no header: it is cut off")
    order = "<" if not is_ros2 or raw[1] & 1 else ">"
    seconds, nanoseconds = struct.unpack_from(f"{order}iI" if is_ros2 else "<II", raw, 4)
    return int(seconds) * 10**9 + int(nanoseconds)


def camera_model(info: Any, is_ros2: bool) -> CameraModel:
    """A CameraInfo message of either ROS."""
    # ROS 1 has capital letters for the matrices
    k, d, r, p = (info.k, info.d, info.r, info.p) if is_ros2 else (info.K, info.D, info.R, info.P)
    return CameraModel(
        info.width,
        info.height,
        k=tuple(k.tolist()),
        d=tuple(d.tolist()),
        distortion_model=info.distortion_model,
        r=tuple(r.tolist()),
        p=tuple(p.tolist()),
        binning_x=info.binning_x,
        binning_y=info.binning_y,
        roi=(info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height),
        frame_id=frame_id(info),
    )


def frame_id(message: Any) -> str:
    """The frame of a message with a header, without the slash that ROS 1 allowed before it."""
    return str(message.header.frame_id).lstrip("/")


class Calibrations:
    """The calibrations of a camera over time.

    Args:
        stamped: stamps in nanoseconds and what CameraInfo said then, in any order; those not calibrated are left out.
    """

    def __init__(self, stamped: Iterable[tuple[int, CameraModel]]) -> None:
        self._stamps_ns: list[int] = []
        self._cameras: list[CameraModel] = []
        for stamp, camera in sorted((pair for pair in stamped if pair[1].calibrated), key=lambda pair: pair[0]):
            if not self._cameras or self._cameras[-1] != camera:
                self._stamps_ns.append(stamp)
                self._cameras.append(camera)

    def __len__(self) -> int:
        """How many differ from the one before."""
        return len(self._cameras)

    def at(self, stamp_ns: int) -> CameraModel:
        """The last one not after the stamp, else the first.

        Raises:
            InputError: there is none.
        """
        if not self._cameras:
            raise InputError("no calibrated CameraInfo: name its topic, or give the focal length")
        return self._cameras[max(bisect_right(self._stamps_ns, stamp_ns) - 1, 0)]


def rgb_pixels(message: Any) -> NDArray[np.uint8]:
    """The picture of an Image or CompressedImage, uint8 [H, W, 3].

    Raises:
        InputError: an encoding that is not known, or a message cut off.
    """
    if message.__msgtype__ == COMPRESSED:
        return images.decode_compressed(message.data)
    return images.decode(
        message.encoding,
        message.data,
        height=message.height,
        width=message.width,
        step=message.step,
        big_endian=bool(message.is_bigendian),
    )


def sibling_info_topic(image_topic: str) -> str:
    """The camera_info topic that belongs to an image topic, as image_transport derives it."""
    base = image_topic.removesuffix("/compressed").removesuffix("/compressedDepth")
    return base.rpartition("/")[0] + "/camera_info"


def is_rectified(image_topic: str) -> bool:
    """Whether P rather than K is the camera of these images, by image_proc's names (image_rect, image_rect_color)."""
    return "rect" in image_topic.removesuffix("/compressed").removesuffix("/compressedDepth").rpartition("/")[2]


def depth_metres(message: Any, depth_scale: float | None = None) -> NDArray[np.float32]:
    """Metres of a depth image, float32 [H, W], in memory of its own; NaN where nothing was measured (0, negative, NaN).

    Args:
        message: sensor_msgs/Image, or CompressedImage of a topic .../compressedDepth.
        depth_scale: stored values per metre, where it is not as REP 118 has it.

    Raises:
        InputError: an encoding that is not depth's, or a message cut off.
    """
    if message.__msgtype__ == COMPRESSED:
        encoding, stored = unpack_depth(message.format, message.data)
        return _metres(stored, depth_scale or DEPTH_TYPES[encoding][1])
    if message.encoding not in DEPTH_TYPES:
        raise InputError(f"depth image has encoding {message.encoding!r}; known are {', '.join(DEPTH_TYPES)}")
    dtype, per_metre = DEPTH_TYPES[message.encoding]
    per_metre = depth_scale or per_metre
    height, width, step = message.height, message.width, message.step
    if height < 1 or width < 1:
        raise InputError(f"depth image is {width}x{height} pixels: nothing to see")
    row = width * np.dtype(dtype).itemsize
    if step < row or len(message.data) < (height - 1) * step + row:
        raise InputError(
            f"depth image of {width}x{height} {message.encoding} pixels with a step of {step} has "
            f"{len(message.data)} bytes: it is cut off"
        )
    rows = np.lib.stride_tricks.as_strided(message.data, (height, row), (step, 1), writeable=False)
    values = np.ascontiguousarray(rows).view(dtype)
    if bool(message.is_bigendian) != (sys.byteorder == "big"):
        values = values.byteswap()
    return _metres(values, per_metre)


def _metres(values: NDArray[Any], per_metre: float) -> NDArray[np.float32]:
    depth_m = values.astype(np.float32) / np.float32(per_metre)
    depth_m[~(depth_m > 0)] = np.nan
    return depth_m
