# SPDX-License-Identifier: Apache-2.0
"""The messages that the part "transport" sends: clouds, and colour images as a camera's driver publishes them."""

from __future__ import annotations

import array
from dataclasses import dataclass
from typing import Any

import numpy as np

POINT_STEP = 16


@dataclass(frozen=True)
class Load:
    """One kind of message.

    Attributes:
        kind: "cloud", an organised PointCloud2 of x, y, z, rgb; or "image", an Image of rgb8.
        width, height: pixels.
    """

    kind: str
    width: int
    height: int

    @property
    def step(self) -> int:
        """Bytes of a point or pixel."""
        return POINT_STEP if self.kind == "cloud" else 3

    @property
    def size(self) -> int:
        """Bytes of data."""
        return self.step * self.width * self.height

    @property
    def label(self) -> str:
        """For tables."""
        return f"{self.kind} {self.width}x{self.height}, {self.size / 1e6:.1f} MB"

    @property
    def topic(self) -> str:
        """Where it is published."""
        return f"{self.kind}_{self.width}x{self.height}"

    @property
    def message_type(self) -> Any:
        """The ROS type."""
        from sensor_msgs.msg import Image, PointCloud2

        return PointCloud2 if self.kind == "cloud" else Image

    def message(self) -> Any:
        """Such a message, of random bytes."""
        result = self._fields()
        result.data = array.array("B", random_bytes(self.size).tobytes())
        return result

    def serialised(self) -> Any:
        """The same as a `depthpro_ros.node.cdr.SerialisedMessage`."""
        from depthpro_ros.node.cdr import SerialisedMessage

        result = SerialisedMessage(self._fields())
        np.copyto(result.tensor(np.uint8, self.size).numpy(), random_bytes(self.size))
        return result

    def _fields(self) -> Any:
        """A message without its data."""
        from sensor_msgs.msg import Image, PointCloud2, PointField

        shape = {"width": self.width, "height": self.height}
        result: Any
        if self.kind == "cloud":
            fields = [
                PointField(name=n, offset=4 * i, datatype=7, count=1) for i, n in enumerate(("x", "y", "z", "rgb"))
            ]
            result = PointCloud2(**shape, fields=fields, point_step=self.step, row_step=self.step * self.width)
        else:
            result = Image(**shape, encoding="rgb8", step=self.step * self.width)
        result.header.frame_id = "camera_optical_frame"
        return result


def random_bytes(size: int) -> np.ndarray:
    """uint8 [size], the same ones always."""
    return np.random.default_rng(0).integers(0, 256, size, np.uint8)


SIZES = ((640, 480), (1280, 720), (1920, 1080))
LOADS = tuple(Load(kind, *size) for kind in ("cloud", "image") for size in SIZES)
