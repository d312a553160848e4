# SPDX-License-Identifier: Apache-2.0
"""How often something happens, and where the time of a frame goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

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
