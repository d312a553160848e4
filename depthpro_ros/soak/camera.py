# SPDX-License-Identifier: Apache-2.0
"""The camera of a soak: pictures of several sizes, raw and compressed, with and without calibration, and bad ones."""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import CameraModel, Intrinsics

FRAME = "soak_optical_frame"
SIZES = ((320, 240), (640, 480), (848, 480), (1280, 720), (63, 47))
"""Width and height of the pictures."""
USUAL = (640, 480)
FOCAL = 0.8
"""Focal length of the camera over its width."""


def picture(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """Coloured patches of random places, uint8 [H, W, 3]: neither flat nor noise, which JPEG would make large."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (6, 8, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


class Camera:
    """Publishes pictures with their calibration.

    Args:
        node: of rclpy.
        topic: of the images.
        transport: raw or compressed.

    Attributes:
        sent: images published, bad ones included.
        bad: of these, those that cannot be served.
    """

    def __init__(self, node: Any, topic: str, transport: str) -> None:
        from sensor_msgs.msg import CameraInfo, CompressedImage, Image

        self.sent = self.bad = 0
        self._compressed = transport == "compressed"
        self._messages = {size: self._message(*size) for size in SIZES}
        self._infos = {size: self._info(*size) for size in SIZES}
        type_, suffix = (CompressedImage, "/compressed") if self._compressed else (Image, "")
        self._images = node.create_publisher(type_, topic + suffix, 5)
        self._calibrations = node.create_publisher(CameraInfo, topic.rsplit("/", 1)[0] + "/camera_info", 5)

    @property
    def watched(self) -> bool:
        """Whether the node has subscribed."""
        return self._images.get_subscription_count() > 0

    def send(self, size: tuple[int, int], *, calibrated: bool = True, bad: str = "") -> int:
        """Publish a picture; its stamp, nanoseconds.

        Args:
            size: one of `SIZES`.
            calibrated: publish its CameraInfo before it.
            bad: "truncated" sends half of its bytes, "calibration" makes the CameraInfo one of another size.
        """
        stamp_ns = time.time_ns()
        message, info = self._messages[size], self._infos[size]
        if bad == "calibration":
            info = self._infos[next(other for other in SIZES if other != size)]
        for header in (message.header, info.header):
            header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 10**9)
        if calibrated:
            self._calibrations.publish(info)
        data = message.data
        if bad == "truncated":
            message.data = data[: len(data) // 2] if not self._compressed else data[:10]
        self._images.publish(message)
        message.data = data
        self.sent += 1
        self.bad += bool(bad)
        return stamp_ns

    def _message(self, width: int, height: int) -> Any:
        from sensor_msgs.msg import CompressedImage, Image
        from std_msgs.msg import Header

        rgb, header = picture(width, height), Header(frame_id=FRAME)
        if self._compressed:
            message = CompressedImage(header=header, format="jpeg")
            message.data.frombytes(cv2.imencode(".jpg", rgb[..., ::-1])[1].tobytes())
        else:
            message = Image(header=header, height=height, width=width, encoding="rgb8", step=3 * width)
            message.data.frombytes(rgb.tobytes())
        return message

    def _info(self, width: int, height: int) -> Any:
        from std_msgs.msg import Header

        from depthpro_ros.node.messages import camera_info

        camera = CameraModel.from_intrinsics(Intrinsics.from_focal(width, height, FOCAL * width))
        return camera_info(camera, Header(frame_id=FRAME))
