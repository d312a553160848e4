# SPDX-License-Identifier: Apache-2.0
"""Image messages to RGB, with cv_bridge where it works and with OpenCV alone where it does not."""

from __future__ import annotations

import logging
import sys
from typing import Any

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from depthpro_ros import images
from depthpro_ros.encoded_images import MAX_IMAGE_MEGAPIXELS
from depthpro_ros.images import RgbImage

BIG_ENDIAN = sys.byteorder == "big"

logger = logging.getLogger(__name__)


class ImageDecoder:
    """Makes RGB of image messages.

    cv_bridge may be missing, may fail to import (it is built for one major version of NumPy), may not know
    an encoding, or may know it differently from one version to the next. So it is tried out on a small
    picture of each encoding that comes, and used for those that it gets right.

    Args:
        use_cv_bridge: false leaves it alone.
    """

    def __init__(self, use_cv_bridge: bool = True) -> None:
        self._bridge: Any = None
        self._right: dict[str, bool] = {}
        self.problem = "not asked for"
        """Why cv_bridge is not used at all; empty if it is."""
        if use_cv_bridge:
            self._bridge, self.problem = _cv_bridge()
        if self._bridge is not None and not self.uses_cv_bridge_for("bgr8"):
            self._bridge, self.problem = None, "it does not even convert bgr8"

    def rgb(self, message: Image | CompressedImage, max_megapixels: float = MAX_IMAGE_MEGAPIXELS) -> RgbImage:
        """The picture, uint8 [H, W, 3].

        Args:
            message: as it came.
            max_megapixels: larger images are refused, compressed ones before they are decoded.

        Raises:
            InputError: the message is not a picture of a known encoding, is too large, or does not hold all its bytes.
        """
        if isinstance(message, CompressedImage):
            return images.decode_compressed(message.data, max_megapixels=max_megapixels)
        size = {
            "height": message.height,
            "width": message.width,
            "step": message.step,
            "max_megapixels": max_megapixels,
        }
        encoding = images.check(message.encoding, len(message.data), **size)
        if _is_plain(message, encoding) and self.uses_cv_bridge_for(message.encoding):
            return self._with_cv_bridge(message)
        return images.decode(message.encoding, message.data, **size, big_endian=bool(message.is_bigendian))

    def uses_cv_bridge_for(self, encoding: str) -> bool:
        """Whether cv_bridge makes of this encoding what `depthpro_ros.images` does; it is tried out once."""
        if self._bridge is None:
            return False
        if encoding not in self._right:
            self._right[encoding] = self._is_right(encoding)
            logger.info("%s converts %s", "cv_bridge" if self._right[encoding] else "OpenCV", encoding)
        return self._right[encoding]

    def _is_right(self, encoding: str) -> bool:
        known, side = images.ENCODINGS[encoding], 8
        step = side * known.channels * np.dtype(known.dtype).itemsize
        noise = np.random.default_rng(0).integers(0, 256, int(side * known.rows) * step, np.uint8)
        probe = Image(height=side, width=side, encoding=encoding, step=step, is_bigendian=int(BIG_ENDIAN))
        probe.data.frombytes(noise.tobytes())
        expected = images.decode(encoding, probe.data, height=side, width=side, step=step, big_endian=BIG_ENDIAN)
        try:
            return np.array_equal(self._with_cv_bridge(probe), expected)
        except Exception as error:  # cv_bridge's own, Boost's, or NumPy's
            logger.debug("cv_bridge cannot convert %s: %s", encoding, error)
            return False

    def _with_cv_bridge(self, message: Image) -> RgbImage:
        return np.ascontiguousarray(self._bridge.imgmsg_to_cv2(message, desired_encoding="rgb8"))


def _is_plain(message: Image, encoding: images.Encoding) -> bool:
    """Whether the pixels lie as every cv_bridge expects them: without padding, in this machine's byte order.

    Some versions take padding for pixels; others swap bytes with a method that NumPy 2 does not have.
    """
    itemsize = np.dtype(encoding.dtype).itemsize
    tight = message.step == message.width * encoding.channels * itemsize
    whole = len(message.data) == message.step * int(message.height * encoding.rows)
    return tight and whole and (itemsize == 1 or bool(message.is_bigendian) == BIG_ENDIAN)


def _cv_bridge() -> tuple[Any, str]:
    """A CvBridge, or None and why there is none."""
    try:
        from cv_bridge import CvBridge

        return CvBridge(), ""
    except Exception as error:  # a binary built for another NumPy raises almost anything
        return None, f"{type(error).__name__}: {error}"
