# SPDX-License-Identifier: Apache-2.0
"""The images that the worker has taken, each with the camera that it belongs to."""

from __future__ import annotations

from typing import NamedTuple

from depthpro_ros.node.stream import CameraStream
from depthpro_ros.node.stream_frames import Arrival, BegunFrame, FinishedFrame


class Taken(NamedTuple):
    """A camera, and its image that the worker has taken."""

    stream: CameraStream
    arrival: Arrival

    def __str__(self) -> str:
        header = self.arrival.message.header
        return f"{self.stream.camera.label}the frame of stamp {header.stamp.sec}.{header.stamp.nanosec:09d}"


class Begun(NamedTuple):
    """An image, and its frame that waits for the network."""

    taken: Taken
    frame: BegunFrame


class Finished(NamedTuple):
    """An image, and its frame that waits to be published."""

    taken: Taken
    frame: FinishedFrame
