# SPDX-License-Identifier: Apache-2.0
"""What the node measures about itself, and how it says so on /diagnostics (REP 107)."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from depthpro_ros.frame_scale import FrameScale
from depthpro_ros.models.estimator import EstimatorInfo
from depthpro_ros.node.scale_status import LEVELS, scale_text, scale_values

WINDOW_S = 10.0
"""Rates are counted over this long."""
SAMPLES = 100
"""Latencies and model times are those of this many last frames."""


class Rate:
    """Events per second, over the last `WINDOW_S` seconds."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=2000)

    def count(self, now: float) -> None:
        """Count an event at monotonic time `now`."""
        self._times.append(now)

    def hz(self, now: float) -> float:
        """The rate now; 0 where there are fewer than two events."""
        while self._times and self._times[0] < now - WINDOW_S:
            self._times.popleft()
        if len(self._times) < 2:
            return 0.0
        # to `now` only once the next event is overdue: else the rate would sag between events
        span = self._times[-1] - self._times[0]
        period = span / (len(self._times) - 1)
        return (len(self._times) - 1) / max(span, now - self._times[0] - period, 1e-9)


def percentile(samples: Sequence[float], percent: float) -> float:
    """Nearest-rank percentile; NaN of nothing."""
    if not samples:
        return float("nan")
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@dataclass(frozen=True)
class FrameTimes:
    """Where the time of one frame went, milliseconds.

    What is missing of the whole is spent on other cameras' images of the same batch.

    Attributes:
        from_stamp: from the image's stamp until all messages were published; None where it has no stamp.
        from_arrival: the same from the image's arrival in this process.
        waiting: from the arrival until the worker turned to it.
        decoding: message to RGB, and rectification.
        pairing: waiting for and reading its CameraInfo.
        model: in the network: the whole batch's time.
        after_model: scale, range, edges, cloud; for a GPU, giving it that work.
        publishing: from then until all messages were published; the frame before it may have to go out first, and a
            GPU has to finish.
    """

    from_stamp: float | None
    from_arrival: float
    waiting: float
    decoding: float
    pairing: float
    model: float
    after_model: float
    publishing: float

    def named(self) -> dict[str, float | None]:
        """The times by what diagnostics call them."""
        return {
            "latency from stamp": self.from_stamp,
            "latency from arrival": self.from_arrival,
            "waiting": self.waiting,
            "decoding": self.decoding,
            "pairing": self.pairing,
            "model": self.model,
            "after the model": self.after_model,
            "publishing": self.publishing,
            "beside the model": self.from_arrival - self.model,
        }


TIMES = tuple(FrameTimes(*[0.0] * 8).named())


@dataclass
class Statistics:
    """Counts and times of one camera's frames. Written by executor, worker and publisher, read by the reporter."""

    images_in: int = 0
    frames_out: int = 0
    dropped: int = 0
    idle: int = 0
    refused: int = 0
    last_error: str = ""
    focal_px: float = float("nan")
    focal_source: str = ""
    focal_locked: bool = False
    scale: FrameScale | None = None
    _rate_in: Rate = field(default_factory=Rate)
    _rate_out: Rate = field(default_factory=Rate)
    _times: dict[str, deque[float]] = field(default_factory=lambda: {name: deque(maxlen=SAMPLES) for name in TIMES})
    _batches: deque[int] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    _refused_reported: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arrived(self, *, replaced: bool) -> None:
        """An image came; `replaced` if an older one was dropped for it."""
        with self._lock:
            self.images_in += 1
            self.dropped += replaced
            self._rate_in.count(time.monotonic())

    def skipped(self) -> None:
        """Nobody listened, so a frame was not computed."""
        with self._lock:
            self.idle += 1

    def refuse(self, error: str) -> None:
        """A frame could not be served."""
        with self._lock:
            self.refused += 1
            self.last_error = error

    def served(self, times: FrameTimes, batch: int) -> None:
        """A frame was published, whose image went through the network together with others: `batch` in all."""
        with self._lock:
            self.frames_out += 1
            self._rate_out.count(time.monotonic())
            self._batches.append(batch)
            for name, value in times.named().items():
                if value is not None:
                    self._times[name].append(value)

    def focal(self, focal_px: float, source: str, locked: bool) -> None:
        """The focal length in use, pixels, and where it comes from."""
        with self._lock:
            self.focal_px, self.focal_source, self.focal_locked = focal_px, source, locked

    def scaled(self, scale: FrameScale | None) -> None:
        """How the last frame's depth became metres; None where that was not asked."""
        with self._lock:
            self.scale = scale

    def new_errors(self) -> int:
        """Frames refused since the last call."""
        with self._lock:
            new, self._refused_reported = self.refused - self._refused_reported, self.refused
            return new

    def values(self) -> dict[str, str]:
        """Everything, as the keys and values of a diagnostic status."""
        with self._lock:
            now = time.monotonic()
            values = {
                "fps in": f"{self._rate_in.hz(now):.2f}",
                "fps out": f"{self._rate_out.hz(now):.2f}",
                "images in": str(self.images_in),
                "frames out": str(self.frames_out),
                "dropped": str(self.dropped),
                "not computed (no subscriber)": str(self.idle),
                "refused": str(self.refused),
            }
            batch = sum(self._batches) / len(self._batches) if self._batches else float("nan")
            values["batch size"] = f"{batch:.2f}"
            for name, samples in self._times.items():
                values[f"{name} p50 (ms)"] = f"{percentile(samples, 50):.1f}"
                values[f"{name} p95 (ms)"] = f"{percentile(samples, 95):.1f}"
            values["focal (px)"] = f"{self.focal_px:.3f}"
            values["focal source"] = self.focal_source
            values["focal locked"] = str(self.focal_locked).lower()
            if self.scale is not None:
                values |= {k if k == "scale" else f"scale {k}": v for k, v in scale_values(self.scale).items()}
            values["last error"] = self.last_error
            return values


def device_memory_mib(device: str) -> float:
    """Memory in use: torch's on a GPU, the process's resident set on a CPU; NaN where unknown."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.memory_allocated(device) / 2**20
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * 4096 / 2**20
    except OSError:
        return float("nan")


def camera_status(
    name: str,
    statistics: Statistics,
    *,
    state: str,
    model: EstimatorInfo | None,
    failure: str = "",
    extra: dict[str, str] | None = None,
) -> DiagnosticStatus:
    """What /diagnostics says of one camera.

    Args:
        name: of the status: the node's, and what it is about.
        statistics: what was measured.
        state: the node's lifecycle state.
        model: None while none is loaded.
        failure: why the node cannot work at all; empty if it can.
        extra: further keys and values.
    """
    values = {"state": state} | (extra or {}) | statistics.values()
    new_errors = statistics.new_errors()
    level, message = DiagnosticStatus.OK, f"{state}, {values['fps out']} fps"
    if model is not None:
        values |= {
            "model": model.name,
            "weights": model.weights,
            "device": model.device,
            "precision": model.precision,
            "device memory (MiB)": f"{device_memory_mib(model.device):.0f}",
        }
        if model.notice:
            level, message = DiagnosticStatus.WARN, model.notice
    if (scale := statistics.scale) is not None and LEVELS[scale.state] != DiagnosticStatus.OK:
        message = scale_text(scale) if level == DiagnosticStatus.OK else f"{scale_text(scale)}; {message}"
        level = max(level, LEVELS[scale.state])
    if new_errors:
        level, message = DiagnosticStatus.ERROR, f"{new_errors} frames refused: {statistics.last_error}"
    if failure:
        level, message = DiagnosticStatus.ERROR, failure
        values["last error"] = failure
    return DiagnosticStatus(
        level=level,
        name=name,
        message=message,
        hardware_id=model.name if model else "",
        values=[KeyValue(key=k, value=v) for k, v in values.items()],
    )
