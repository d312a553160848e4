# SPDX-License-Identifier: Apache-2.0
"""ROS messages to arrays, and results to ROS messages.

The bytes of a large message are written once, in place, and publishing has copied them before it returns, so a writer
has one message, which is filled anew for each frame. That is a ROS message whose `data` is an `array.array('B')`, the
only type that rclpy takes without looking at each element; or, for `depthpro_ros.node.direct.publish`, one that is
serialised already.
"""

from __future__ import annotations

import array
import math
import sys

import numpy as np
import torch
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from std_msgs.msg import Header
from torch import Tensor

from depthpro_ros.camera import CameraModel
from depthpro_ros.cloud import POINT_STEP
from depthpro_ros.node.cdr import SerialisedMessage

BIG_ENDIAN = sys.byteorder == "big"


def camera_model(info: CameraInfo) -> CameraModel:
    """What a CameraInfo says."""
    roi = info.roi
    return CameraModel(
        width=info.width,
        height=info.height,
        k=tuple(map(float, info.k)),
        d=tuple(map(float, info.d)),
        distortion_model=info.distortion_model,
        r=tuple(map(float, info.r)),
        p=tuple(map(float, info.p)),
        binning_x=info.binning_x,
        binning_y=info.binning_y,
        roi=(roi.x_offset, roi.y_offset, roi.width, roi.height),
        frame_id=info.header.frame_id,
    )


def camera_info(camera: CameraModel, header: Header) -> CameraInfo:
    """The CameraInfo of a camera, with this header."""
    info = CameraInfo(
        header=header,
        width=camera.width,
        height=camera.height,
        distortion_model=camera.distortion_model,
        d=[float(v) for v in camera.d],
        k=[float(v) for v in camera.k],
        r=[float(v) for v in camera.r],
        p=[float(v) for v in camera.p],
        binning_x=camera.binning_x,
        binning_y=camera.binning_y,
    )
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = camera.roi
    return info


class Payload:
    """Memory of the `data` of one message, which is published again and again.

    It is taken from the message and never assigned to it again: some versions of rclpy copy what is
    assigned. It stays the same while the number of bytes does.

    Args:
        message: with a field `data` of type uint8[].
    """

    def __init__(self, message: Image | PointCloud2) -> None:
        self._message = message

    def tensor(self, dtype: type, *shape: int) -> Tensor:
        """The bytes as a tensor of this shape, in host memory."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if len(self._message.data) != size:
            self._message.data = array.array("B", bytes(size))
        if not size:
            return torch.from_numpy(np.empty(shape, dtype))
        return torch.from_numpy(np.frombuffer(self._message.data, dtype).reshape(shape))

    def sealed(self) -> Image | PointCloud2:
        """The message, with the fields that it has now."""
        return self._message


def _copy(source: Tensor, target: Tensor) -> None:
    """Copy into host memory; from there with one thread, see `depthpro_ros.host`."""
    if source.device.type == "cpu":
        np.copyto(target.numpy(), source.numpy(), casting="unsafe")
    else:
        target.copy_(source)


class DepthWriter:
    """Depth maps to sensor_msgs/Image.

    Args:
        serialised: make serialised messages.
    """

    def __init__(self, *, serialised: bool = False) -> None:
        self._message = Image(is_bigendian=int(BIG_ENDIAN))
        self._payload = SerialisedMessage(self._message) if serialised else Payload(self._message)

    def message(self, depth_m: Tensor, header: Header, encoding: str) -> Image | SerialisedMessage:
        """A message that belongs to the writer: publish it before the next is made.

        Args:
            depth_m: float32 [H, W], metres, with the special values of REP 117; for 32FC1 any other values.
            encoding: `32FC1`, metres as they are, or `16UC1`, millimetres with 0 where the depth is not
                finite or does not fit (65.535 m).
        """
        height, width = depth_m.shape
        message = self._message
        # int16 is what torch can hold 16 bits in; the bits are those of uint16
        values, dtype = (depth_m, np.float32) if encoding == "32FC1" else (millimetres(depth_m), np.int16)
        _copy(values, self._payload.tensor(dtype, height, width))
        message.header, message.encoding = header, encoding
        message.height, message.width, message.step = height, width, width * np.dtype(dtype).itemsize
        return self._payload.sealed()


class ColourWriter:
    """Pictures to sensor_msgs/Image.

    Args:
        serialised: make serialised messages.
    """

    def __init__(self, *, serialised: bool = False) -> None:
        self._message = Image(encoding="rgb8")
        self._payload = SerialisedMessage(self._message) if serialised else Payload(self._message)

    def message(self, rgb: NDArray[np.uint8], header: Header) -> Image | SerialisedMessage:
        """A message that belongs to the writer: publish it before the next is made.

        Args:
            rgb: uint8 [H, W, 3].
        """
        height, width = rgb.shape[:2]
        np.copyto(self._payload.tensor(np.uint8, height, width, 3).numpy(), rgb)
        message = self._message
        message.header, message.height, message.width, message.step = header, height, width, 3 * width
        return self._payload.sealed()


def millimetres(depth_m: Tensor) -> Tensor:
    """Depth in whole millimetres, int32; 0 where it is not finite, not above 0, or above 65535."""
    mm = (depth_m * 1000.0).nan_to_num_(0.0, 0.0, 0.0).round_()
    return mm.masked_fill_((mm < 0) | (mm > 65535), 0.0).to(torch.int32)


class CloudWriter:
    """Points, as `depthpro_ros.cloud` packs them, to sensor_msgs/PointCloud2.

    Args:
        serialised: make serialised messages.
    """

    def __init__(self, *, serialised: bool = False) -> None:
        fields = [
            PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
            for i, name in enumerate(("x", "y", "z", "rgb"))
        ]
        self._message = PointCloud2(fields=fields, point_step=POINT_STEP, is_bigendian=BIG_ENDIAN)
        self._payload = SerialisedMessage(self._message) if serialised else Payload(self._message)
        self._memory: Tensor | None = None

    def memory(self, rows: int, columns: int) -> Tensor:
        """Where the next organised cloud may be written, float32 [rows, columns, 4]: a `CloudMemory`."""
        self._memory = self._payload.tensor(np.float32, rows, columns, 4)
        return self._memory

    def message(self, cloud: Tensor, header: Header) -> PointCloud2 | SerialisedMessage:
        """A message that belongs to the writer: publish it before the next is made.

        Args:
            cloud: float32, organised [h, w, 4] (NaN where there is no point) or finite points [N, 4]. Not
                copied if it is the tensor that `memory` returned last.
        """
        organised = cloud.ndim == 3
        height, width = cloud.shape[:2] if organised else (1, len(cloud))
        message = self._message
        if cloud is not self._memory:
            _copy(cloud, self._payload.tensor(np.float32, *cloud.shape))
        self._memory = None
        message.header, message.is_dense = header, not organised
        message.height, message.width, message.row_step = height, width, POINT_STEP * width
        return self._payload.sealed()
