# SPDX-License-Identifier: Apache-2.0
"""One frame's results, as one line of JSON; every figure of a report follows from these lines."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

from depthpro_ros.evaluation.results.profiles import Profiles
from depthpro_ros.evaluation.sums import ErrorSums


@dataclass(frozen=True)
class Focal:
    """Focal lengths in pixels of the frame's width; None where unknown.

    Attributes:
        width_px: of the frame.
        used: what the depth was made with.
        estimated: the network's own, of this frame alone.
        true: what the calibration says.
    """

    width_px: int = 0
    used: float | None = None
    estimated: float | None = None
    true: float | None = None


@dataclass(frozen=True)
class FrameRecord:
    """Results of one frame.

    Attributes:
        index: its number in the evaluation, from 0; frames are recorded in this order.
        id: its name, unique in the evaluation and the same on every machine.
        scene: what intervals are drawn over: a sequence, a bag, a room.
        stamp_ns: of its header; None for photographs.
        skipped: why it was not evaluated, in words that do not differ from frame to frame; empty if it was.
        pixels: how many have a ground truth.
        figures: by the names of `figures`; what a frame does not have is not there.
        sums: by alignment, for pooling over pixels.
        focal: focal lengths.
        profiles: where errors are; None without ground truth.
    """

    index: int
    id: str
    scene: str
    stamp_ns: int | None = None
    skipped: str = ""
    pixels: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    sums: dict[str, ErrorSums] = field(default_factory=dict)
    focal: Focal = field(default_factory=Focal)
    profiles: Profiles | None = None

    @property
    def headline_error(self) -> float | None:
        """abs_rel after the first alignment that there are scores of; None without, and where it is NaN."""
        errors = (value for name, value in self.figures.items() if name.partition("@")[0] == "abs_rel")
        error = next(errors, math.nan)
        return None if math.isnan(error) else error

    def to_line(self) -> str:
        """One line of JSON; NaN is written as NaN, which Python reads back."""
        value: dict[str, Any] = {
            "index": self.index,
            "id": self.id,
            "scene": self.scene,
            "stamp_ns": self.stamp_ns,
            "skipped": self.skipped,
            "pixels": self.pixels,
            "figures": self.figures,
            "sums": {name: asdict(sums) for name, sums in self.sums.items()},
            "focal": asdict(self.focal),
            "profiles": None if self.profiles is None else self.profiles.to_json(),
        }
        return json.dumps(value, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> FrameRecord:
        """The reverse.

        Raises:
            ValueError, KeyError, TypeError: it is no such line.
        """
        value = json.loads(line)
        sums = {n: ErrorSums(**{**s, "right": tuple(s["right"])}) for n, s in value.pop("sums").items()}
        profiles = value.pop("profiles")
        return cls(
            **{**value, "focal": Focal(**value["focal"])},
            sums=sums,
            profiles=None if profiles is None else Profiles.from_json(profiles),
        )
