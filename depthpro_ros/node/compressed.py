# SPDX-License-Identifier: Apache-2.0
"""The depth image in fewer bytes: losslessly or nearly so for programs, and as a picture for people."""

from __future__ import annotations

import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header
from torch import Tensor

from depthpro_ros.compressed_depth import pack_depth
from depthpro_ros.node.messages import millimetres
from depthpro_ros.preview import Preview, jpeg

JPEG_FORMAT = "bgr8; jpeg compressed bgr8"
"""As image_transport's plugin names it; the colours themselves are those of any JPEG file."""


@dataclass(frozen=True)
class Encodings:
    """How the images of depth are written.

    Attributes:
        depth: encoding of the depth image, compressed or not: 32FC1 or 16UC1.
        png_level: of depth/image/compressedDepth, 0 to 9.
        jpeg_quality: of depth/image/compressed, 1 to 100.
        preview_near_m, preview_far_m: depths of its end colours; 0 follows what the camera sees.
    """

    depth: str = "32FC1"
    png_level: int = 1
    jpeg_quality: int = 80
    preview_near_m: float = 0.0
    preview_far_m: float = 0.0


def compressed_depth(depth_m: Tensor, header: Header, encodings: Encodings) -> CompressedImage:
    """The message of depth/image/compressedDepth.

    Args:
        depth_m: float32 [H, W], metres, in host memory.
        header: of the depth image.
        encodings: see there.
    """
    if encodings.depth == "16UC1":
        kind, data = pack_depth(millimetres(depth_m).numpy().astype(np.uint16), encodings.png_level)
    else:
        kind, data = pack_depth(depth_m.numpy(), encodings.png_level)
    return _message(header, kind, data)


class PreviewWriter:
    """Makes the messages of depth/image/compressed of one camera."""

    def __init__(self) -> None:
        self._preview = Preview()

    def message(self, depth_m: Tensor, header: Header, encodings: Encodings) -> CompressedImage:
        """The picture of one frame.

        Args:
            depth_m, header, encodings: see `compressed_depth`.
        """
        limits = encodings.preview_near_m, encodings.preview_far_m
        return _message(
            header, JPEG_FORMAT, jpeg(self._preview.picture(depth_m.numpy(), *limits), encodings.jpeg_quality)
        )


def _message(header: Header, kind: str, data: NDArray[np.uint8]) -> CompressedImage:
    message = CompressedImage(header=header, format=kind)
    message.data = array.array("B", data.tobytes())
    return message
