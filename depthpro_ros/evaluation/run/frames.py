# SPDX-License-Identifier: Apache-2.0
"""What an evaluation reads and what is predicted for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.evaluation.datasets.frame import Extras
from depthpro_ros.evaluation.results.record import Focal


@dataclass(frozen=True)
class SourceFrame:
    """A frame to evaluate.

    Attributes:
        id: unique in the source, the same on every machine.
        scene: what intervals are drawn over.
        rgb: uint8 [H, W, 3].
        stamp_ns: of its header; None for photographs.
        frame_id: its coordinate frame.
        camera: its calibration as the robot has it; None where there is none.
        true_fx_px: its focal length, to judge estimates by; None where unknown.
        truth_m: float32 [h, w] metres, NaN where unknown, inf for sky; None without ground truth.
        alpha: float32 [h, w], of matting sets; None for others.
        recorded: a prediction that was made before; None if one is to be made now.
        extras: what only some data sets know.
    """

    id: str
    scene: str
    rgb: NDArray[np.uint8]
    stamp_ns: int | None = None
    frame_id: str = ""
    camera: CameraModel | None = None
    true_fx_px: float | None = None
    truth_m: NDArray[np.float32] | None = None
    alpha: NDArray[np.float32] | None = None
    recorded: Predicted | None = None
    extras: Extras = field(default_factory=Extras)


@dataclass(frozen=True)
class SkippedFrame:
    """A frame that cannot be evaluated.

    Attributes:
        reason: in words that do not differ from frame to frame.
    """

    id: str
    scene: str
    stamp_ns: int | None
    reason: str


@dataclass(frozen=True)
class Predicted:
    """Depth of a frame, in metres or up to scale, and how it was made.

    Attributes:
        depth_m: float32 [H, W] metres; NaN, infinite or <= 0 is no depth. None of a model up to scale.
        intrinsics: the camera that it was made with, of its size; None where none is known, which only depth up to
            scale can do without.
        focal: focal lengths in pixels of the frame's width.
        times_ms: by the names of `figures`, such as `model_ms`.
        cloud: float32 [h, w, 4], as `depthpro_ros.cloud` packs it; None if not asked for.
        relative: float32 [H, W], depth without a unit, of a model up to scale; None of a metric one.
    """

    depth_m: NDArray[np.float32] | None
    intrinsics: Intrinsics | None
    focal: Focal
    times_ms: dict[str, float] = field(default_factory=dict)
    cloud: NDArray[np.float32] | None = None
    relative: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if (self.depth_m is None) == (self.relative is None):
            raise ValueError("a prediction is either depth_m or relative")

    @property
    def depth(self) -> NDArray[np.float32]:
        """The depth for what does not care about its unit."""
        depth = self.relative if self.depth_m is None else self.depth_m
        assert depth is not None
        return depth


class Source(Protocol):
    """Frames by number."""

    @property
    def total(self) -> int:
        """How many frames there are, those that are skipped too."""
        ...

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[SourceFrame | SkippedFrame]:
        """Frames with these numbers, in order, each read when it is its turn."""
        ...


class Predictor(Protocol):
    """Makes the depth of one frame after another."""

    def predict(self, frame: SourceFrame) -> Predicted:
        """Predict a frame.

        Raises:
            DepthProError: this frame cannot be predicted.
        """
        ...

    def restore(self, width_px: int, estimated_px: float | None) -> None:
        """Take in what was estimated for an earlier frame, as if it had been predicted here."""
        ...


@dataclass(frozen=True)
class Selection:
    """Which frames of a source.

    Attributes:
        start_s, end_s: seconds after the first frame; None from the first, to the last.
        stride: every n-th of them.
        limit: at most so many; None for all.
    """

    start_s: float | None = None
    end_s: float | None = None
    stride: int = 1
    limit: int | None = None

    @property
    def label(self) -> str:
        """In words; `all` where nothing is left out."""
        parts = [f"from {self.start_s:g} s"] if self.start_s is not None else []
        parts += [f"to {self.end_s:g} s"] if self.end_s is not None else []
        parts += [f"every {self.stride}."] if self.stride > 1 else []
        parts += [f"at most {self.limit}"] if self.limit is not None else []
        return ", ".join(parts) or "all"

    def of(self, stamps_ns: list[int | None]) -> list[int]:
        """Positions of the chosen ones; frames without stamps are not chosen by time."""
        first = min((stamp for stamp in stamps_ns if stamp is not None), default=0)
        chosen = [
            place
            for place, stamp in enumerate(stamps_ns)
            if stamp is None
            or (
                (self.start_s is None or stamp - first >= self.start_s * 1e9)
                and (self.end_s is None or stamp - first <= self.end_s * 1e9)
            )
        ]
        return chosen[:: self.stride][: self.limit]


ALL = Selection()
