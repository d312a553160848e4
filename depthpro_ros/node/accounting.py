# SPDX-License-Identifier: Apache-2.0
"""What became of every image of one camera, what was measured on the way, and what a user has to be warned of."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from depthpro_ros.frame_scale import FrameScale
from depthpro_ros.node.frame_times import SAMPLES, TIMES, FrameTimes, Rate, percentile
from depthpro_ros.node.scale_status import scale_values
from depthpro_ros.node.watchdog import Hang

WARNED_S = 10.0
"""How long a warning is shown after its reason was last seen."""


@dataclass
class Statistics:
    """Counts and times of one camera's frames.

    Written by executor, worker, publisher and watchdog, read by the reporter. At every moment, over all the time that
    the node lives, images_in = frames_out + dropped + refused + idle + waiting + in_progress.

    Attributes:
        images_in: received while subscribed.
        frames_out: published.
        dropped: replaced by a newer image while they waited, given up since the node was deactivated, or more than a
            rate limit allows.
        limited: those of them that were more than a rate limit allows.
        idle: not computed, since nobody listened.
        refused: not served, since something was wrong; `last_error` says what.
        waiting: received, and the worker has not turned to them.
        in_progress: taken by the worker, and not yet published.
        hang: what hangs at the moment.
    """

    images_in: int = 0
    frames_out: int = 0
    dropped: int = 0
    limited: int = 0
    idle: int = 0
    refused: int = 0
    waiting: int = 0
    in_progress: int = 0
    last_error: str = ""
    focal_px: float = float("nan")
    focal_source: str = ""
    focal_locked: bool = False
    focal_jumps: int = 0
    scale: FrameScale | None = None
    hang: Hang | None = None
    _warnings: dict[str, tuple[float, str]] = field(default_factory=dict)
    _rate_in: Rate = field(default_factory=Rate)
    _rate_out: Rate = field(default_factory=Rate)
    _times: dict[str, deque[float]] = field(default_factory=lambda: {name: deque(maxlen=SAMPLES) for name in TIMES})
    _batches: deque[int] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    _refused_reported: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arrived(self) -> None:
        """An image came, and waits."""
        with self._lock:
            self.images_in += 1
            self.waiting += 1
            self._rate_in.count(time.monotonic())

    def replaced(self, images: int = 1) -> None:
        """Images that waited were thrown away: for a newer one, or at the node's deactivation."""
        with self._lock:
            self.waiting -= images
            self.dropped += images

    def taken(self) -> None:
        """The worker turned to an image that waited."""
        with self._lock:
            self.waiting -= 1
            self.in_progress += 1

    def given_up(self) -> None:
        """A frame in progress came too late to be published, since the node was deactivated."""
        with self._lock:
            self.in_progress -= 1
            self.dropped += 1

    def beyond_rate(self, *, taken: bool) -> None:
        """An image came sooner than a rate limit allows; `taken` if the worker had turned to it."""
        with self._lock:
            if taken:
                self.in_progress -= 1
            else:
                self.waiting -= 1
            self.dropped += 1
            self.limited += 1

    def skipped(self) -> None:
        """Nobody listened, so a frame was not computed."""
        with self._lock:
            self.in_progress -= 1
            self.idle += 1

    def refuse(self, error: str) -> None:
        """A frame could not be served."""
        with self._lock:
            self.in_progress -= 1
            self.refused += 1
            self.last_error = error

    def served(self, times: FrameTimes, batch: int) -> None:
        """A frame was published, whose image went through the network together with others: `batch` in all."""
        with self._lock:
            self.in_progress -= 1
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

    def focal_jumped(self, text: str) -> None:
        """The estimated focal length, and with it the scale, is another than before."""
        with self._lock:
            self.focal_jumps += 1
        self.warn("focal", text)

    def scaled(self, scale: FrameScale | None) -> None:
        """How the last frame's depth became metres; None where that was not asked."""
        with self._lock:
            self.scale = scale

    def hangs(self, hang: Hang | None) -> None:
        """A frame takes longer than it may; None once it has gone on."""
        with self._lock:
            self.hang = hang

    def warn(self, subject: str, text: str) -> None:
        """Show a warning for a while, in place of an earlier one on this subject."""
        with self._lock:
            self._warnings[subject] = (time.monotonic() + WARNED_S, text)

    def warnings(self) -> list[str]:
        """The warnings that are to be shown."""
        with self._lock:
            now = time.monotonic()
            self._warnings = {subject: entry for subject, entry in self._warnings.items() if entry[0] > now}
            return [text for _, text in self._warnings.values()]

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
                "dropped by rate limit": str(self.limited),
                "not computed (no subscriber)": str(self.idle),
                "refused": str(self.refused),
                "waiting": str(self.waiting),
                "in progress": str(self.in_progress),
            }
            batch = sum(self._batches) / len(self._batches) if self._batches else float("nan")
            values["batch size"] = f"{batch:.2f}"
            for name, samples in self._times.items():
                values[f"{name} p50 (ms)"] = f"{percentile(samples, 50):.1f}"
                values[f"{name} p95 (ms)"] = f"{percentile(samples, 95):.1f}"
            values["focal (px)"] = f"{self.focal_px:.3f}"
            values["focal source"] = self.focal_source
            values["focal locked"] = str(self.focal_locked).lower()
            values["focal jumps"] = str(self.focal_jumps)
            if self.scale is not None:
                values |= {k if k == "scale" else f"scale {k}": v for k, v in scale_values(self.scale).items()}
            if self.hang is not None:
                values |= {"hangs": self.hang.text, "hangs at": self.hang.place}
            values["last error"] = self.last_error
            return values
