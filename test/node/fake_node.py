# SPDX-License-Identifier: Apache-2.0
"""The real node with a model whose answer can be calculated by hand. Run by the tests as a process."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from depthpro_ros.errors import WeightsError
from depthpro_ros.models.estimator import EstimatorInfo, Focal, Prediction, Rgb
from depthpro_ros.node import timers
from depthpro_ros.node.decoding import ImageDecoder
from depthpro_ros.node.depth_node import run
from depthpro_ros.node.ending import leave
from depthpro_ros.node.messages import CloudWriter
from depthpro_ros.node.outputs import Outputs
from depthpro_ros.node.pairing import CameraInfos
from depthpro_ros.pipeline import Pipeline

POISON = (255, 254, 253)
"""An image whose first pixel has this colour makes the model fail."""
LOST = getattr(torch, "AcceleratorError", RuntimeError)
RAISED: dict[str, Callable[[], Exception]] = {
    "raise": lambda: RuntimeError("a fault of the model"),
    "host memory": lambda: MemoryError(),
    "host allocator": lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    "GPU memory": lambda: torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
    "GPU lost": lambda: LOST("CUDA error: an illegal memory access was encountered"),
}
"""Faults of the model that are exceptions."""
WRONG: dict[str, Callable[[Prediction], Prediction]] = {
    "all NaN": lambda p: replace(p, depth_m=torch.full_like(p.metres, math.nan)),
    "one NaN": lambda p: replace(p, depth_m=_with_one(p, math.nan)),
    "one infinite": lambda p: replace(p, depth_m=_with_one(p, math.inf)),
    "one negative": lambda p: replace(p, depth_m=_with_one(p, -1.0)),
    "all zero": lambda p: replace(p, depth_m=torch.zeros_like(p.metres)),
    "wrong shape": lambda p: replace(p, depth_m=p.metres[:-1]),
    "wrong dtype": lambda p: replace(p, depth_m=p.metres.double()),
    "focal NaN": lambda p: replace(p, focal_px=torch.tensor(math.nan)),
    "another focal": lambda p: replace(p, focal_px=p.focal_px * 1.5, depth_m=p.metres * 1.5),
}
"""Faults of the model that are answers."""


class Faults:
    """What is to go wrong at the moment, as a file says: a key of `RAISED` or `WRONG`, or `hang` and a stage.

    Args:
        file: its text; nothing goes wrong while it is missing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def now(self) -> str:
        """The fault."""
        return self._file.read_text() if self._file.exists() else ""

    def hang(self, stage: str) -> None:
        """Stay for as long as the fault is to hang here."""
        while self.now == f"hang {stage}":
            time.sleep(0.02)

    def hang_before(self, owner: type, name: str, stage: str) -> None:
        """Let a method hang where the fault says so."""
        method = getattr(owner, name)

        def hanging(*args: Any, **options: Any) -> Any:
            self.hang(stage)
            return method(*args, **options)

        setattr(owner, name, hanging)

    def everywhere(self) -> None:
        """Let every stage of a frame hang where the fault says so; the model's is in `FakeEstimator`."""
        self.hang_before(ImageDecoder, "rgb", "decoding")
        self.hang_before(CameraInfos, "find", "pairing")
        self.hang_before(Pipeline, "finish", "after the model")
        self.hang_before(Outputs, "publish", "publishing")


class FakeEstimator:
    """Canonical depth (1 + red / 64) at each pixel; a network that believes that the focal is the width.

    Args:
        delay_s: time of a pass; one written to `delay_file` counts instead.
        log: gets a line for each pass, with sizes and focals of its images.
        die_at: number of the pass, from 1, in which the process ends.
        relative: give depth over its own largest value instead, and 0.25 for the spread of its draws.
        faults: what goes wrong.
        depth: .npy file with the depth of every image, float32 [H, W] metres; read again for each.
    """

    def __init__(
        self,
        delay_s: float = 0.0,
        log: Path | None = None,
        delay_file: Path | None = None,
        die_at: int | None = None,
        *,
        relative: bool = False,
        faults: Faults | None = None,
        depth: Path | None = None,
    ) -> None:
        notice = "a fake, for tests only"
        self.info = EstimatorInfo("fake", "none", 0, "cpu", "float32", notice, metric=not relative)
        self._delay_s, self._log, self._delay_file = delay_s, log, delay_file
        self._die_at, self._passes = die_at, 0
        self._faults, self._depth = faults, depth

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
        if self._faults is not None:
            self._faults.hang("model")
        fault = "" if self._faults is None else self._faults.now
        if fault in RAISED:
            raise RAISED[fault]()
        predict = _predict if self.info.metric else _predict_relative
        predictions = [predict(rgb, focal) for rgb, focal in zip(images, focals_px, strict=True)]
        if self._depth is not None:
            known = torch.from_numpy(np.load(self._depth))
            predictions = [replace(p, depth_m=known) for p in predictions]
        return [WRONG[fault](p) for p in predictions] if fault in WRONG else predictions

    def warm_up(self, images: int) -> None:
        """As the real one, which computes batches of up to this many images."""
        print(f"the fake was warmed up for {images}", flush=True)


def _with_one(prediction: Prediction, value: float) -> torch.Tensor:
    depth = prediction.metres.clone()
    depth[1, 2] = value
    return depth


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
        self: Outputs, frame: Any, header: Any, subscribed: frozenset[str], encodings: Any, writers: Any
    ) -> None:
        header.frame_id = header.frame_id if frame_id is None else frame_id
        if shift_ns is not None:
            header.stamp.nanosec += shift_ns
            publish(self, frame, header, subscribed & {"depth/camera_info"}, encodings, writers)
            header.stamp.nanosec -= shift_ns
        publish(self, frame, header, subscribed, encodings, writers)

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
    parser.add_argument("--real", action="store_true", help="load what the parameter model says after all")
    parser.add_argument("--depth", type=Path)
    parser.add_argument("--fault-file", type=Path, help="what goes wrong, see Faults")
    parser.add_argument("--retry", type=float, help="seconds after which missing weights are looked for again")
    options, ros = parser.parse_known_args()
    faults = None
    if options.fault_file is not None:
        faults = Faults(options.fault_file)
        faults.everywhere()
    if options.retry is not None:
        timers.RETRY_S = options.retry
    if options.shift_stamps_ns is not None or options.frame_id is not None:
        misbehave(options.shift_stamps_ns, options.frame_id)

    if options.publishing_delay:
        publish_slowly(options.publishing_delay)

    def load(model: str, **_: object) -> FakeEstimator:
        time.sleep(options.load_delay)
        if options.missing_until is not None and not options.missing_until.exists():
            raise WeightsError(f"no weights for {model!r}: fetch them with `depthpro weights` or name a file")
        return FakeEstimator(
            options.delay,
            options.log,
            options.delay_file,
            options.die_at,
            relative=options.relative,
            faults=faults,
            depth=options.depth,
        )

    leave(run([sys.argv[0], *ros], load=None if options.real else load))


if __name__ == "__main__":
    main()
