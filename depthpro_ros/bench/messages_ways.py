# SPDX-License-Identifier: Apache-2.0
"""Ways to make a PointCloud2 and a depth Image of results in host memory: ours, and those that other nodes use.

All have the rays of the camera ready, so that only the making of the message is compared. All give the same bytes.
"""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.cloud import POINT_STEP, Projector

Float = NDArray[np.float32]
Make = Callable[[], Any]
OURS, OURS_SERIALISED = "ours, into the message", "ours, serialised"
STRUCTURED, STACKED = "sensor_msgs_py", "NumPy, tobytes()"
FROM_BYTES, TO_BYTES = "array.frombytes()", "tobytes()"


class Frame:
    """One frame's results.

    Args:
        width, height: pixels.

    Attributes:
        depth_m: float32 [H, W]: a wall with a wave on it.
        rgb: uint8 [H, W, 3].
        x, y: float32 [H, W]: rays at depth 1.
    """

    def __init__(self, width: int, height: int) -> None:
        self.camera = Intrinsics.from_focal(width, height, 0.8 * width)
        u, v = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
        self.depth_m: Float = (4 + np.sin(u / 50) * np.cos(v / 50)).astype(np.float32)
        self.rgb: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        self.x: Float = ((u - self.camera.cx) / self.camera.fx).astype(np.float32)
        self.y: Float = ((v - self.camera.cy) / self.camera.fy).astype(np.float32)

    def colours(self) -> NDArray[np.uint32]:
        """uint32 [H, W], 0x00RRGGBB."""
        red, green, blue = (self.rgb[..., i].astype(np.uint32) for i in range(3))
        return np.asarray(red << 16 | green << 8 | blue, np.uint32)


def cloud_ways(frame: Frame) -> dict[str, Make]:
    """Each makes a cloud of the frame."""
    return {
        OURS: OurCloud(frame, serialised=False),
        OURS_SERIALISED: OurCloud(frame, serialised=True),
        STRUCTURED: lambda: structured_cloud(frame),
        STACKED: lambda: stacked_cloud(frame),
    }


def depth_ways(frame: Frame) -> dict[str, Make]:
    """Each makes a depth image of the frame."""
    return {
        OURS: OurDepth(frame, serialised=False),
        OURS_SERIALISED: OurDepth(frame, serialised=True),
        FROM_BYTES: lambda: image_from_bytes(frame),
        TO_BYTES: lambda: image_of_bytes(frame),
    }


class OurCloud:
    """The node's way for a depth map in host memory.

    Args:
        frame: the results.
        serialised: see `depthpro_ros.node.messages.CloudWriter`.
    """

    def __init__(self, frame: Frame, *, serialised: bool) -> None:
        from depthpro_ros.node.messages import CloudWriter

        self._writer = CloudWriter(serialised=serialised)
        self._projector = Projector(frame.camera, 1, torch.device("cpu"))
        self._depth, self._rgb = torch.from_numpy(frame.depth_m), torch.from_numpy(frame.rgb)

    def __call__(self) -> Any:
        """The message."""
        memory = self._writer.memory(*self._projector.shape)
        return self._writer.message(self._projector.pack(self._depth, self._rgb, memory), header())


class OurDepth:
    """The node's way; arguments as of `OurCloud`."""

    def __init__(self, frame: Frame, *, serialised: bool) -> None:
        from depthpro_ros.node.messages import DepthWriter

        self._writer, self._depth = DepthWriter(serialised=serialised), torch.from_numpy(frame.depth_m)

    def __call__(self) -> Any:
        """The message."""
        return self._writer.message(self._depth, header(), "32FC1")


def structured_cloud(frame: Frame) -> Any:
    """A structured array, given to sensor_msgs_py where that is installed, else to the same steps."""
    points = np.empty(frame.depth_m.shape, np.dtype([(name, np.float32) for name in ("x", "y", "z", "rgb")]))
    points["x"], points["y"], points["z"] = frame.x * frame.depth_m, frame.y * frame.depth_m, frame.depth_m
    points["rgb"] = frame.colours().view(np.float32)
    library = sensor_msgs_py()
    if library is not None:
        return library.create_cloud(header(), fields(), points.reshape(-1))
    data = array.array("B")
    data.frombytes(points.data.cast("B"))
    return _cloud(frame, data)


def stacked_cloud(frame: Frame) -> Any:
    """The columns stacked, and the bytes of that assigned."""
    columns = (frame.x * frame.depth_m, frame.y * frame.depth_m, frame.depth_m, frame.colours().view(np.float32))
    return _cloud(frame, np.stack(columns, axis=-1).tobytes())


def image_from_bytes(frame: Frame) -> Any:
    """A new array for each image."""
    data = array.array("B")
    data.frombytes(frame.depth_m.data.cast("B"))
    return _image(frame, data)


def image_of_bytes(frame: Frame) -> Any:
    """Bytes assigned, as cv_bridge does it."""
    return _image(frame, frame.depth_m.tobytes())


def sensor_msgs_py() -> Any:
    """The module point_cloud2 of ROS's library, or None: it comes with a distribution, not from PyPI."""
    try:
        from sensor_msgs_py import point_cloud2
    except ImportError:
        return None
    return point_cloud2


def header() -> Any:
    """A std_msgs/Header."""
    from std_msgs.msg import Header

    return Header(frame_id="camera_optical_frame")


def fields() -> list[Any]:
    """Of the clouds."""
    from sensor_msgs.msg import PointField

    names = ("x", "y", "z", "rgb")
    return [PointField(name=n, offset=4 * i, datatype=PointField.FLOAT32, count=1) for i, n in enumerate(names)]


def _cloud(frame: Frame, data: Any) -> Any:
    from sensor_msgs.msg import PointCloud2

    height, width = frame.depth_m.shape
    message = PointCloud2(header=header(), height=height, width=width, fields=fields(), point_step=POINT_STEP)
    message.row_step, message.data = POINT_STEP * width, data
    return message


def _image(frame: Frame, data: Any) -> Any:
    from sensor_msgs.msg import Image

    height, width = frame.depth_m.shape
    message = Image(header=header(), height=height, width=width, encoding="32FC1", step=4 * width)
    message.data = data
    return message
