# SPDX-License-Identifier: Apache-2.0
"""What leaks is found, and what does not passes."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from depthpro_ros.soak.checks import (
    all_accounted,
    all_delivered,
    constant,
    growth,
    none_refused_but_bad,
    not_more,
    nothing_odd,
    of_rests,
    only_explained,
    steady_memory,
)
from depthpro_ros.soak.records import Counts, Footprint, Rest, Sample

FOOTPRINT = Footprint(400.0, 410.0, 700.0, 20, 25, 4, 260.0, 3.0)
COUNTS = Counts(images_in=10, frames_out=6, dropped=1, idle=1, refused=2)


def rest(**changes: object) -> Rest:
    served = Counts(images_in=10, frames_out=10)
    return replace(Rest(0.0, "raw", FOOTPRINT, 380.0, 50.0, 45.0, 10, 10, served), **changes)


def sample(counts: Counts) -> Sample:
    return Sample(0.0, "raw", "", FOOTPRINT, counts, 10, 50.0, 1.0)


def series(per_phase: float, noise: float, seed: int = 0, start: float = 400.0, warm_up: float = 30.0) -> list[float]:
    """Forty values that rise at first, as caches fill, then by `per_phase` of `start` each, and vary."""
    draws = random.Random(seed)
    return [
        start - warm_up * max(0.0, 1 - number / 8) + start * per_phase * number + draws.gauss(0, noise * start)
        for number in range(40)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_flat_memory_passes_whatever_its_warm_up(seed: int) -> None:
    assert growth("memory", series(0.0, 0.002, seed), "MiB", 0.01).passed


@pytest.mark.parametrize("seed", range(5))
def test_memory_that_grows_by_two_percent_is_found(seed: int) -> None:
    # 26 phases count, and the middles of first and last quarter are 20 phases apart
    assert not growth("memory", series(0.02 / 20, 0.002, seed), "MiB", 0.01).passed


def test_single_phases_do_not_count() -> None:
    values = series(0.0, 0.001)
    values[-2] *= 3
    assert growth("latency", values, "ms", 0.25).passed


def test_growth_is_from_the_first_to_the_last_quarter_after_the_warm_up() -> None:
    check = growth("memory", [1, 1, 100, 100, 100, 100, 104, 104], "MiB", 0.03)
    assert "+4.00%" in check.figure and not check.passed
    assert growth("memory", [1, 1, 100, 100, 100, 100, 104, 104], "MiB", 0.05).passed


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_like_phases_say_nothing(count: int) -> None:
    assert not growth("memory", [400.0] * count, "MiB", 0.01).passed
    assert not constant("files", [20] * count).passed
    assert not not_more("threads", [20] * count).passed


def test_threads_may_come_and_go_but_not_stay() -> None:
    assert not_more("threads", [20, 20, 20, 24, 25, 24, 25, 25, 24, 25, 24, 25]).passed
    check = not_more("threads", [20, 20, 20, 24, 25, 24, 25, 25, 26, 27, 26, 27])
    assert not check.passed and "24 to 27, at the end 26" in check.figure


def test_a_leak_in_serving_one_image_is_found() -> None:
    flat = [sample(COUNTS)] * 12
    leaky = [replace(s, footprint=replace(FOOTPRINT, private_mib=400 + n)) for n, s in enumerate(flat)]
    assert steady_memory(flat).passed
    assert not steady_memory(leaky).passed
    assert not steady_memory([]).passed


def test_one_thread_more_is_found() -> None:
    assert constant("threads", [18, 20, 20, 20, 20, 20, 20, 20]).passed, "the warm-up does not count"
    check = constant("threads", [20] * 7 + [21])
    assert not check.passed and "20 to 21" in check.figure


def test_images_that_vanish_are_found() -> None:
    assert all_accounted([sample(COUNTS)], COUNTS).passed
    lost = replace(COUNTS, images_in=11)
    assert lost.missing == 1
    assert not all_accounted([sample(lost), sample(COUNTS)], COUNTS).passed
    assert not all_accounted([sample(COUNTS)], lost).passed
    assert not all_accounted([], replace(COUNTS, images_in=11, in_progress=1)).passed, "not at rest"


def test_counts_come_from_the_nodes_own_words() -> None:
    said = {"images in": "10", "frames out": "6", "dropped": "1", "not computed (no subscriber)": "1", "refused": "2"}
    assert Counts.of(said | {"waiting": "0", "in progress": "0"}) == COUNTS
    assert replace(COUNTS, images_in=15, idle=6).since(COUNTS) == Counts(images_in=5, idle=5)


@pytest.mark.parametrize(
    "changes",
    [
        {"answered": 9},
        {"counts": Counts(images_in=10, frames_out=9, dropped=1)},
        {"counts": Counts(images_in=9, frames_out=9)},
        {"sent": 0, "answered": 0, "counts": Counts()},
    ],
)
def test_an_image_that_does_not_arrive_is_found(changes: dict[str, object]) -> None:
    assert all_delivered([rest()]).passed
    assert not all_delivered([rest(**changes)]).passed


def test_refusals_are_of_bad_images() -> None:
    assert none_refused_but_bad(3, 0, 5).passed
    assert none_refused_but_bad(0, 0, 0).passed
    assert not none_refused_but_bad(4, 1, 5).passed
    assert not none_refused_but_bad(0, 0, 5).passed


def test_errors_must_be_explained() -> None:
    meant = "[ERROR] [1.0] [depth_pro]: frame refused: truncated\n[INFO] [1.0] [depth_pro]: all is well"
    assert only_explained(meant, ["frame refused: truncated"]).passed
    assert not only_explained(meant, ["something else"]).passed
    for line in ("Traceback (most recent call last):", "[FATAL] [1.0] [depth_pro]: gone", "ValueError: 3"):
        check = only_explained(f"{meant}\n{line}", ["frame refused"])
        assert not check.passed and line in check.figure


def test_wrong_answers_are_found() -> None:
    assert nothing_odd("parameters", [], 4).passed
    assert not nothing_odd("parameters", ["max_depth_m was refused"], 4).passed
    assert not nothing_odd("parameters", [], 0).passed, "nothing was asked"


def test_like_phases_that_are_alike_pass_everything() -> None:
    checks = of_rests([rest()] * 8)
    assert all(check.passed for check in checks)
    assert len({check.name for check in checks}) == len(checks)


def test_each_thing_that_a_process_may_leak_is_looked_at() -> None:
    leaks = [rest(clean_mib=384.1)]
    leaks += [
        rest(footprint=replace(FOOTPRINT, **more)) for more in ({"threads": 21}, {"files": 26}, {"shared_files": 5})
    ]
    for leak in leaks:
        checks = of_rests([rest()] * 6 + [leak] * 3)
        assert [check.passed for check in checks].count(False) == 1, leak
