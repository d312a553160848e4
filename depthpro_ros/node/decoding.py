# SPDX-License-Identifier: Apache-2.0
"""Image messages to RGB, with cv_bridge where it works and with OpenCV alone where it does not."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from depthpro_ros import images
from depthpro_ros.images import RgbImage

CV_BRIDGE_ENCODINGS = frozenset(
    {"rgb8", "bgr8", "rgba8", "bgra8", "mono8", "mono16", "yuv422", "yuv422_yuy2"}
    | {f"bayer_{pattern}{bits}" for pattern in ("rggb", "bggr", "gbrg", "grbg") for bits in (8, 16)}
)
"""Encodings of which every cv_bridge since Humble makes the right RGB."""


class ImageDecoder:
    """Makes RGB of image messages.

    cv_bridge may be missing, may fail to import (it is built for one major version of NumPy), or may import
    and fail when used, so it is tried out once.

    Args:
        use_cv_bridge: false leaves it alone.
    """

    def __init__(self, use_cv_bridge: bool = True) -> None:
        self._bridge: Any = None
        self.problem = "not asked for"
        """Why cv_bridge is not used; empty if it is."""
        if use_cv_bridge:
            self._bridge, self.problem = _working_cv_bridge()

    def rgb(self, message: Image | CompressedImage) -> RgbImage:
        """The picture, uint8 [H, W, 3].

        Raises:
            InputError: the message is not a picture of a known encoding, or does not hold all its bytes.
        """
        if isinstance(message, CompressedImage):
            return images.decode_compressed(message.data)
        layout: dict[str, Any] = {"height": message.height, "width": message.width, "step": message.step}
        if self._bridge is not None and self._suits_cv_bridge(message):
            images.check(message.encoding, len(message.data), **layout)
            return np.ascontiguousarray(self._bridge.imgmsg_to_cv2(message, desired_encoding="rgb8"))
        return images.decode(message.encoding, message.data, **layout, big_endian=bool(message.is_bigendian))

    @staticmethod
    def _suits_cv_bridge(message: Image) -> bool:
        """Whether cv_bridge makes the right picture of a message like this."""
        known = images.ENCODINGS.get(message.encoding)
        if known is None or message.encoding not in CV_BRIDGE_ENCODINGS:
            return False
        itemsize = np.dtype(known.dtype).itemsize
        # its Python side swaps bytes with a method that NumPy 2 dropped, ...
        foreign = itemsize > 1 and bool(message.is_bigendian) != (sys.byteorder == "big")
        # ... counts a row's padding in whole pixels, and wants no byte after the last row
        pixel = known.channels * itemsize
        exact = message.step % pixel == 0 and len(message.data) == message.step * message.height
        return not foreign and exact


def _working_cv_bridge() -> tuple[Any, str]:
    """A CvBridge that has proved to work, or None and why there is none."""
    try:
        from cv_bridge import CvBridge

        bridge = CvBridge()
        pixels = bytes(range(12))
        probe = Image(height=2, width=2, encoding="bgr8", step=6, data=pixels)
        result = np.asarray(bridge.imgmsg_to_cv2(probe, desired_encoding="rgb8"))
        if result.tobytes() != bytes([2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9]):
            return None, f"cv_bridge is wrong: BGR {list(pixels)} became RGB {result.tolist()}"
    except (Exception, SystemError) as error:  # a binary built for another NumPy raises almost anything
        return None, f"{type(error).__name__}: {error}"
    return bridge, ""
