# SPDX-License-Identifier: Apache-2.0
"""The real node with a model whose answer can be calculated by hand. Run by the tests as a process."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from depthpro_ros.errors import WeightsError
from depthpro_ros.models.estimator import EstimatorInfo, Focal, Prediction, Rgb
from depthpro_ros.node.depth_node import run
from depthpro_ros.node.messages import CloudWriter
from depthpro_ros.node.outputs import Outputs, Writers

POISON = (255, 254, 253)
"""An image whose first pixel has this colour makes the model fail."""


class FakeEstimator:
    """Canonical depth (1 + red / 64) at each pixel; a network that believes that the focal is the width.

    Args:
        delay_s: time of a pass; one written to `delay_file` counts instead.
        log: gets a line for each pass, with sizes and focals of its images.
        die_at: number of the pass, from 1, in which the process ends.
        relative: give depth over its own largest value instead, and 0.25 for the spread of its draws.
    """

    def __init__(
        self,
        delay_s: float = 0.0,
        log: Path | None = None,
        delay_file: Path | None = None,
        die_at: int | None = None,
        *,
        relative: bool = False,
    ) -> None:
        notice = "a fake, for tests only"
        self.info = EstimatorInfo("fake", "none", 0, "cpu", "float32", notice, metric=not relative)
        self._delay_s, self._log, self._delay_file = delay_s, log, delay_file
        self._die_at, self._passes = die_at, 0

    def predict(self, rgb: Rgb, focal_px: Focal = None) -> Prediction:
        """Depth of one image."""
        return self.predict_many([np.asarray(rgb)], [focal_px])[0]  # type: ignore[list-item]

    def predict_many(self, images: Sequence[np.ndarray], focals_px: Sequence[float | None]) -> list[Prediction]:
        """Depth of images of any sizes, in one pass."""
        self._passes += 1
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as log:
                each = [f"{list(np.shape(rgb))} {focal}" for rgb, focal in zip(images, focals_px, strict=True)]
                log.write("; ".join(each) + "\n")
        has_file = self._delay_file is not None and self._delay_file.exists()
        time.sleep(float(self._delay_file.read_text()) if has_file else self._delay_s)
        # after the delay, in which the last answers go out
        if self._passes == self._die_at:
            print("the fake node's last word", flush=True)
            os._exit(7)
        if any(tuple(rgb[0, 0]) == POISON for rgb in images):
            raise RuntimeError("the image is poisoned")
        predict = _predict if self.info.metric else _predict_relative
        return [predict(rgb, focal) for rgb, focal in zip(images, focals_px, strict=True)]

    def warm_up(self, images: int) -> None:
        """As the real one, which computes batches of up to this many images."""
        print(f"the fake was warmed up for {images}", flush=True)


def _predict(rgb: np.ndarray, focal_px: float | None) -> Prediction:
    image = torch.from_numpy(np.ascontiguousarray(rgb))
    width = image.shape[1]
    focal = float(width) if focal_px is None else float(focal_px)
    depth = (1 + image[..., 0].float() / 64) * (focal / width)
    fov = None if focal_px is not None else torch.tensor(2 * math.degrees(math.atan(0.5)))
    return Prediction(depth, torch.tensor(focal), fov)


def _predict_relative(rgb: np.ndarray, focal_px: float | None) -> Prediction:
    depth = 1 + torch.from_numpy(np.ascontiguousarray(rgb))[..., 0].float() / 64
    depth /= depth.max()
    focal = torch.tensor(math.nan if focal_px is None else float(focal_px))
    return Prediction(None, focal, None, relative_depth=depth, relative_spread=torch.full_like(depth, 0.25))


def misbehave(shift_ns: int | None, frame_id: str | None) -> None:
    """Let the node publish calibrations with another stamp too, and everything in another coordinate frame."""
    publish = Outputs.publish

    def changed(
        self: Outputs, frame: Any, header: Any, subscribed: frozenset[str], encoding: str, writers: Writers
    ) -> None:
        header.frame_id = header.frame_id if frame_id is None else frame_id
        if shift_ns is not None:
            header.stamp.nanosec += shift_ns
            publish(self, frame, header, subscribed & {"depth/camera_info"}, encoding, writers)
            header.stamp.nanosec -= shift_ns
        publish(self, frame, header, subscribed, encoding, writers)

    Outputs.publish = changed  # type: ignore[method-assign]


def publish_slowly(delay_s: float) -> None:
    """Let time pass between writing a cloud's message and publishing it."""
    message = CloudWriter.message

    def slow(self: CloudWriter, cloud: torch.Tensor, header: Any) -> Any:
        result = message(self, cloud, header)
        time.sleep(delay_s)
        return result

    CloudWriter.message = slow  # type: ignore[method-assign]


def main() -> None:
    """Run the node until it is told to end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--delay-file", type=Path)
    parser.add_argument("--load-delay", type=float, default=0.0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--missing-until", type=Path, help="no weights until this file exists")
    parser.add_argument("--die-at", type=int)
    parser.add_argument("--shift-stamps-ns", type=int)
    parser.add_argument("--frame-id")
    parser.add_argument("--publishing-delay", type=float, default=0.0)
    parser.add_argument("--relative", action="store_true")
    options, ros = parser.parse_known_args()
    if options.shift_stamps_ns is not None or options.frame_id is not None:
        misbehave(options.shift_stamps_ns, options.frame_id)

    if options.publishing_delay:
        publish_slowly(options.publishing_delay)

    def load(model: str, **_: object) -> FakeEstimator:
        time.sleep(options.load_delay)
        if options.missing_until is not None and not options.missing_until.exists():
            raise WeightsError(f"no weights for {model!r}: fetch them with `depthpro weights` or name a file")
        return FakeEstimator(options.delay, options.log, options.delay_file, options.die_at, relative=options.relative)

    sys.exit(run([sys.argv[0], *ros], load=load))


if __name__ == "__main__":
    main()
