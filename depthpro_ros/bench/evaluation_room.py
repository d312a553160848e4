# SPDX-License-Identifier: Apache-2.0
"""A small recording with ground truth and a model that is wrong in a known way, for the part "evaluation"."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from depthpro_ros.bag_writer import BagWriter, camera_info_message, header, image_message
from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topic_info import list_topics
from depthpro_ros.evaluation.bags.topics import choose_topics
from depthpro_ros.evaluation.results.record import Focal
from depthpro_ros.evaluation.run.bag_source import BagSource
from depthpro_ros.evaluation.run.frames import Predicted, SourceFrame

SIZE = (640, 480)
BAG_FRAMES = 60
ENCODINGS = ("32FC1", "16UC1")
PERIOD_NS = 10**8
IMAGE, INFO, TRUTH = "/camera/image_raw", "/camera/camera_info", "/camera/aligned_depth/image_raw"


@dataclass
class Room:
    """A camera at rest before a slope with boxes.

    Attributes:
        size: width and height in pixels.
    """

    size: tuple[int, int]
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def __post_init__(self) -> None:
        width, height = self.size
        v, u = np.mgrid[0:height, 0:width] / height
        self._depth_m = (2 + 4 * v + np.sin(5 * u)).astype(np.float32)
        for left, top, side in self._rng.uniform(0, 1, (40, 3)):
            box = np.s_[int(top * height) :, int(left * width) :]
            self._depth_m[box][: int(height * side / 8), : int(height * side / 8)] = 1 + 7 * side
        self._rgb = self._rng.integers(0, 250, (height, width, 3), np.uint8)
        self._soft_m = cv2.GaussianBlur(self._depth_m, (5, 5), 1.2)

    @property
    def camera(self) -> Intrinsics:
        """Of the images."""
        return Intrinsics.from_focal(*self.size, 0.8 * self.size[0])

    def frame(self, number: int) -> SourceFrame:
        """The image with a little noise, and the exact depth."""
        rgb = self._rgb + self._rng.integers(0, 5, self._rgb.shape, np.uint8)
        fx = self.camera.fx
        return SourceFrame(f"bench/{number}", "bench", rgb, number * PERIOD_NS, "camera", None, fx, self._depth_m)

    def prediction(self) -> Predicted:
        """A tenth too far, with soft edges and 2 % of noise."""
        noise = self._rng.normal(1.1, 0.02, self._soft_m.shape).astype(np.float32)
        return Predicted(self._soft_m * noise, self.camera, Focal(self.size[0], self.camera.fx, self.camera.fx))


def write_bag(path: Path, encoding: str) -> None:
    """Images, calibrations and depth."""
    room = Room(SIZE)
    with BagWriter(path) as bag:
        for number in range(BAG_FRAMES):
            frame = room.frame(number)
            assert frame.truth_m is not None
            depth = frame.truth_m if encoding == "32FC1" else (frame.truth_m * 1000).astype(np.uint16)
            head, stamp_ns = header(number * PERIOD_NS, "camera"), number * PERIOD_NS
            bag.write(INFO, camera_info_message(head, CameraModel.from_intrinsics(room.camera)), stamp_ns)
            bag.write(IMAGE, image_message(head, frame.rgb, "rgb8"), stamp_ns)
            bag.write(TRUTH, image_message(head, depth, encoding), stamp_ns)


def read_bag(path: Path) -> int:
    """Open, find the topics, match, and decode every frame; how many there were."""
    with Recording(path) as recording:
        source = BagSource(recording, choose_topics(list_topics(recording)))
        return sum(isinstance(frame, SourceFrame) for frame in source.frames())
