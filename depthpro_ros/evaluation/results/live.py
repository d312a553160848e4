# SPDX-License-Identifier: Apache-2.0
"""What only a running node shows: latency, lost frames, stamps, and what it takes of the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

ReplayMode = Literal["real_time", "lock_step"]


@dataclass(frozen=True)
class Percentiles:
    """Of a series; NaN of nothing."""

    p50: float
    p90: float
    p99: float
    largest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Percentiles:
        """From the values."""
        if not len(values):
            return cls(*[float("nan")] * 4)
        p50, p90, p99 = np.percentile(values, [50, 90, 99]).tolist()
        return cls(p50, p90, p99, float(max(values)))


@dataclass(frozen=True)
class ResourceSample:
    """What the node's process took at one moment.

    Attributes:
        time_s: since the first frame was sent.
        cpu_percent: of one core; 200 is two busy cores.
        memory_mb: resident, in 10^6 bytes.
    """

    time_s: float
    cpu_percent: float
    memory_mb: float


@dataclass(frozen=True)
class LiveSummary:
    """What a replay into the node came to.

    Attributes:
        mode: real time, or lock-step (each frame waits for the last one's answer).
        rate: of a replay in real time, 1 is as recorded.
        sent, answered, dropped: frames; dropped ones were never answered.
        latency_ms: from sending the image to having received all of its outputs.
        output_hz: answered frames per second.
        strange_stamps: outputs with a stamp that no image had.
        strange_frames: outputs in another coordinate frame than their image.
        resources: over time.
        diagnostics: what the node said about itself at the end.
        late_ms: how long after their time images were sent, in real time: what the replay itself added.
        unscored: answered frames whose depth was let go because scoring could not keep pace with real time.
    """

    mode: ReplayMode
    rate: float
    sent: int
    answered: int
    dropped: int
    latency_ms: Percentiles
    output_hz: float
    strange_stamps: int
    strange_frames: int
    resources: tuple[ResourceSample, ...] = ()
    diagnostics: dict[str, str] | None = None
    late_ms: Percentiles | None = None
    unscored: int = 0

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> LiveSummary:
        """The reverse."""
        late_ms = value.get("late_ms")
        return cls(
            **{
                **value,
                "latency_ms": Percentiles(**value["latency_ms"]),
                "late_ms": None if late_ms is None else Percentiles(**late_ms),
                "resources": tuple(ResourceSample(**sample) for sample in value["resources"]),
            }
        )
