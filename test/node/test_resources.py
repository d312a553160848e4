# SPDX-License-Identifier: Apache-2.0
"""CPU and memory of processes whose load is known."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("psutil")

from depthpro_ros.evaluation.results.live import ResourceSample
from depthpro_ros.node.resources import ResourceMonitor, thinned

SLEEPER = "import time; print('on', flush=True); time.sleep(60)"


@contextmanager
def python(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has printed a line."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline()
            yield process
        finally:
            process.kill()


def watch(pid: int, seconds: float) -> tuple[ResourceSample, ...]:
    """Samples of so long."""
    started = time.time()
    with ResourceMonitor(pid, 0.1) as monitor:
        time.sleep(seconds)
        return monitor.samples(started)


def cpu_s(pid: int) -> float:
    """CPU time of a process so far, from proc(5): fields 14 and 15, of which the second may hold spaces."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_busy_loop_takes_one_core_and_a_sleeper_none() -> None:
    with python("print('on', flush=True)\nwhile True: pass") as busy, python(SLEEPER) as idle:
        origin, started, before = time.time(), time.monotonic(), cpu_s(busy.pid)
        with ResourceMonitor(busy.pid, 0.1) as monitor:
            # all of a core, or what a busy machine leaves of it: long enough for either to be seen
            while cpu_s(busy.pid) < before + 1 and time.monotonic() < started + 30:
                time.sleep(0.1)
            samples = monitor.samples(origin)
            share = 100 * (cpu_s(busy.pid) - before) / (time.monotonic() - started)
        sleeping = watch(idle.pid, 0.5)
    mean = sum(s.cpu_percent for s in samples) / len(samples)
    assert 3 < share < 110 and mean == pytest.approx(share, rel=0.3)
    assert len(sleeping) >= 2 and max(s.cpu_percent for s in sleeping) < 15


def test_allocated_memory_is_seen() -> None:
    code = "import sys\nprint(1, flush=True)\nsys.stdin.readline()\nx = b'x' * 200_000_000\nprint(2, flush=True)\n"
    with python(code + "sys.stdin.readline()") as process:
        before = watch(process.pid, 0.35)[-1]
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
        process.stdout.readline()
        after = watch(process.pid, 0.35)[-1]
    assert after.memory_mb - before.memory_mb == pytest.approx(200, abs=5)


def test_times_are_counted_from_the_origin_and_earlier_samples_left_out() -> None:
    with python(SLEEPER) as process, ResourceMonitor(process.pid, 0.1) as monitor:
        time.sleep(0.35)
        origin = time.time()
        time.sleep(0.35)
        times = [s.time_s for s in monitor.samples(origin)]
    assert 1 <= len(times) <= 4 and min(times) >= 0 and times == sorted(times) and max(times) < 0.5


def test_the_end_of_the_process_ends_the_samples() -> None:
    with python(SLEEPER) as process, ResourceMonitor(process.pid, 0.05) as monitor:
        time.sleep(0.2)
        process.kill()
        process.wait()
        time.sleep(0.1)
        count = len(monitor.samples(0))
        time.sleep(0.2)
        assert count == len(monitor.samples(0)) > 0


def test_the_number_of_samples_stays_bounded_over_the_whole_time() -> None:
    with python(SLEEPER) as process:
        started = time.time()
        with ResourceMonitor(process.pid, 0.01, most=8) as monitor:
            time.sleep(1.0)
            samples = monitor.samples(started)
    assert 4 <= len(samples) <= 8
    # the first times are still told of, and so is the end
    assert samples[0].time_s < 0.5 and samples[-1].time_s > 0.4


def test_two_samples_become_one_with_their_mean_cpu_and_larger_memory() -> None:
    samples = [ResourceSample(1, 10, 5), ResourceSample(2, 30, 4), ResourceSample(3, 7, 9)]
    assert thinned(samples) == [ResourceSample(2, 20, 5), ResourceSample(3, 7, 9)]
