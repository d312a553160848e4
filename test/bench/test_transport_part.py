# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="no ROS: neither a sourced distribution nor the wheels")

from depthpro_ros.bench import transport
from depthpro_ros.bench.results import Figure
from depthpro_ros.bench.tables import as_text
from depthpro_ros.bench.transport_load import Load
from depthpro_ros.bench.transport_pair import Burst, Pair, PeerDied, Way, environment_of
from depthpro_ros.bench.transport_tables import Rated, Sent, loss, tables
from depthpro_ros.node import rcl

SMALL = (Load("cloud", 8, 6), Load("image", 8, 6))
FIRST, LAST = Way("first"), Way("last", direct=True, reader_keeps=True, taken_directly=rcl.available())
VARIABLE = "FASTDDS_DEFAULT_PROFILES_FILE"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Way, Pair]]:
    folder = tmp_path_factory.mktemp("transport")
    with ExitStack() as stack:
        result = {
            way: stack.enter_context(closing(Pair(way, 40 + (os.getpid() + n) % 60, folder)))
            for n, way in enumerate((FIRST, LAST))
        }
        for pair in result.values():
            pair.wait_until_ready()
        yield result


def test_sizes_are_those_of_the_messages() -> None:
    for load in (Load("cloud", 640, 480), Load("image", 1280, 720)):
        assert len(load.message().data) == load.size
        assert len(bytes(load.serialised().sealed())) - load.size < 300
    assert Load("cloud", 640, 480).label == "cloud 640x480, 4.9 MB"


@pytest.mark.parametrize("load", SMALL, ids=lambda load: load.kind)
@pytest.mark.parametrize("reliable", [True, False])
def test_everything_arrives_whichever_way(pairs: dict[Way, Pair], load: Load, reliable: bool) -> None:
    for pair in pairs.values():
        pair.connect(load, reliable=reliable)
        burst = pair.singly(load, 5)
        assert len(burst.arrived) == 5 and burst.lost == 0 and burst.taken == []
        assert all(0 < arrived < 3 for arrived in burst.arrived)


@pytest.mark.parametrize("load", SMALL, ids=lambda load: load.kind)
def test_a_polling_reader_times_the_taking(pairs: dict[Way, Pair], load: Load) -> None:
    for pair in pairs.values():
        pair.connect(load, polling=True)
        burst = pair.singly(load, 3)
        assert len(burst.taken) == len(burst.arrived) == 3
        assert all(0 < seconds < 3 for seconds in burst.taken + burst.arrived)


@pytest.mark.parametrize("how", ["message", "bytes", "direct"])
def test_publishing_is_timed_with_a_reader_and_without(pairs: dict[Way, Pair], how: str) -> None:
    pair, load = pairs[FIRST], Load("cloud", 9, 6)
    assert pair.one(load, how, listened=False) > 0
    pair.connect(load)
    assert pair.one(load, how, listened=True, command="stand_still") > 0


def test_messages_keep_the_rhythm(pairs: dict[Way, Pair]) -> None:
    pair, load = pairs[FIRST], SMALL[1]
    burst = transport.at_camera_rate(pair, load, 0.5, reliable=False)
    assert len(burst.published) == 15
    assert burst.lost == 0


def test_a_reader_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    # without the profile, since a process that is killed leaves its shared memory behind
    with closing(Pair(Way("default", profile=False), 40 + (os.getpid() + 2) % 60, tmp_path)) as pair:
        pair.wait_until_ready()
        os.kill(pair.reader_pid, signal.SIGKILL)
        with pytest.raises(PeerDied, match="the reader ended with exit code -9"):
            pair.connect(SMALL[0])


def test_the_default_transport_has_no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/somewhere/mine.xml")
    assert VARIABLE not in environment_of(Way("default", profile=False), 50)
    assert environment_of(FIRST, 50)[VARIABLE] == "/somewhere/mine.xml"
    assert environment_of(FIRST, 50)["ROS_DOMAIN_ID"] == "50"


def some(arrived: list[float], sent: int | None = None) -> Burst:
    return Burst([0.001] * (len(arrived) if sent is None else sent), arrived, [0.002])


def sent(first: Burst, last: Burst) -> Sent:
    rated = [Rated(FIRST, True, first), Rated(FIRST, False, some([], 20))]
    return Sent(SMALL[0], {FIRST: first, LAST: last}, {LAST: last}, rated)


def test_arrivals_of_neighbours_are_compared() -> None:
    table = tables([sent(some([0.04, 0.06, 0.05]), some([0.01, 0.02, 0.01]))], 30.0, {})[0]
    *_, ratio = table.rows[0].cells
    assert isinstance(ratio, Figure) and ratio.value == pytest.approx(4) and ratio.unit == "x"
    p50 = table.rows[0].cells[0]
    assert isinstance(p50, Figure) and p50.value == pytest.approx(50) and p50.unit == "ms"


def test_where_messages_were_lost_nothing_is_compared() -> None:
    table = tables([sent(some([0.04], 3), some([0.01] * 3))], 30.0, {})[0]
    assert table.rows[0].cells[-1] == ""


def test_loss_is_the_share_of_what_was_sent() -> None:
    table = loss([sent(some([0.04] * 15, 20), some([0.01]))], 30.0)
    assert [cell.value for cell in table.rows[0].cells if isinstance(cell, Figure)] == [25.0, 100.0]
    assert "best effort" in table.columns[1]


def test_tables_say_so_where_nothing_arrived() -> None:
    everything = "\n".join(map(as_text, tables([sent(some([], 3), some([], 3))], 30.0, {})))
    assert "none arrived" in everything
