# SPDX-License-Identifier: Apache-2.0
"""What a process takes of the machine over time."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.results.live import ResourceSample

PERIOD_S = 0.5
MOST_SAMPLES = 2000


class ResourceMonitor:
    """Samples a process's CPU time and memory while the context is open.

    When there are `MOST_SAMPLES`, each two become one (the mean CPU, the larger memory) and the period doubles: memory
    stays flat however long it takes.

    Args:
        pid: of the process. The context ends as usual if it ends first.
        period_s: between samples.
        most: how many samples are kept.

    Raises:
        InputError: psutil is not installed.
    """

    def __init__(self, pid: int, period_s: float = PERIOD_S, most: int = MOST_SAMPLES) -> None:
        self._psutil = _psutil()
        self._pid, self._period_s, self._most = pid, period_s, most
        self._samples: list[ResourceSample] = []
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._sample, name="resources", daemon=True)

    def samples(self, origin_s: float) -> tuple[ResourceSample, ...]:
        """What was sampled so far.

        Args:
            origin_s: time.time() of what times are counted from; earlier samples are left out.
        """
        with self._lock:
            since = [ResourceSample(s.time_s - origin_s, s.cpu_percent, s.memory_mb) for s in self._samples]
        return tuple(sample for sample in since if sample.time_s >= 0)

    def __enter__(self) -> ResourceMonitor:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        try:
            process = self._psutil.Process(self._pid)
            process.cpu_percent()  # counts from here on
            while not self._stop.wait(self._period_s):
                cpu_percent, memory_mb = process.cpu_percent(), process.memory_info().rss / 1e6
                with self._lock:
                    self._samples.append(ResourceSample(time.time(), cpu_percent, memory_mb))
                    if len(self._samples) >= self._most:
                        self._samples = thinned(self._samples)
                        self._period_s *= 2
        except self._psutil.Error:
            return  # it has ended, which those who started it see for themselves


def thinned(samples: list[ResourceSample]) -> list[ResourceSample]:
    """Each two as one: the later time, the mean of the CPU, the larger memory; a last one without partner stays."""
    pairs = zip(samples[::2], samples[1::2], strict=False)
    merged = [
        ResourceSample(b.time_s, (a.cpu_percent + b.cpu_percent) / 2, max(a.memory_mb, b.memory_mb)) for a, b in pairs
    ]
    return merged + samples[2 * len(merged) :]


def _psutil() -> Any:
    try:
        import psutil
    except ImportError as error:
        raise InputError("watching the node needs psutil: pip install 'depthpro_ros[evaluate]'") from error
    return psutil
