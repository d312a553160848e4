# SPDX-License-Identifier: Apache-2.0
"""config/fastdds.xml, by what Fast DDS does with it."""

from __future__ import annotations

import os
import signal
import time
import xml.etree.ElementTree as ElementTree
from contextlib import closing
from pathlib import Path

import pytest
import rclpy

from depthpro_ros.bench.transport_load import Load
from depthpro_ros.bench.transport_pair import Burst, Pair, Way
from depthpro_ros.fast_dds import PROFILE_VARIABLES

from .harness import free_shared_memory

PROFILE = Path(__file__).resolve().parents[2] / "config" / "fastdds.xml"
CLOUD = Load("cloud", 1920, 1080)
FRAGMENT = 65_500
"""The largest part of a message, where one of the transports is UDP."""
STANDSTILL_S = 0.1
MOMENT_S = 0.5
"""Longer than the reader may stand still: after a second Fast DDS takes it for dead."""
LATE_S = 15.0
TRIES = 4

fast_dds = pytest.mark.skipif(
    "fastrtps" not in rclpy.get_rmw_implementation_identifier(), reason="the middleware is not Fast DDS"
)


def setting(name: str) -> int:
    return int(ElementTree.parse(PROFILE).find(f".//{{*}}{name}").text)  # type: ignore[union-attr, arg-type]


def while_the_reader_stands_still(pair: Pair, load: Load, count: int) -> tuple[Burst, float]:
    """Messages that a best-effort reader finds when it goes on; and how long it stood still, seconds."""
    pair.connect(load, reliable=False)
    pair.singly(load, 1)
    os.kill(pair.reader_pid, signal.SIGSTOP)
    stopped = time.monotonic()
    try:
        published = [pair.one(load, "message", listened=False) for _ in range(count)]
        time.sleep(STANDSTILL_S)
    finally:
        os.kill(pair.reader_pid, signal.SIGCONT)
    stood_still_s = time.monotonic() - stopped
    return Burst(published, pair.collect(count, LATE_S), []), stood_still_s


def test_segment_and_queue_hold_three_of_the_largest_clouds() -> None:
    assert setting("segment_size") >= 3 * CLOUD.size
    assert setting("port_queue_capacity") * FRAGMENT >= setting("segment_size")


@fast_dds
@pytest.mark.skipif(free_shared_memory() < 3 * setting("segment_size"), reason="/dev/shm is too small")
def test_a_reader_that_stands_still_for_a_moment_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in PROFILE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for number in range(TRIES):
        folder = tmp_path / str(number)
        folder.mkdir()
        with closing(Pair(Way("profile"), 40 + (os.getpid() + 3) % 60, folder)) as pair:
            pair.wait_until_ready()
            burst, stood_still_s = while_the_reader_stands_still(pair, CLOUD, 2)
        if stood_still_s < MOMENT_S:
            break  # on a busy machine publishing may take longer than the moment
    assert (len(burst.published), burst.lost) == (2, 0), f"the reader stood still for {stood_still_s:.1f} s"
