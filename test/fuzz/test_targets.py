# SPDX-License-Identifier: Apache-2.0
"""No bytes from outside make a parser raise what is not ours, hang, or take much memory; `make fuzz` tries more."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("rosbags")
pytest.importorskip("h5py")
pytest.importorskip("scipy")
pytest.importorskip("rclpy", reason="no ROS: neither a sourced distribution nor the wheels")

from test.fuzz.mutate import RECIPE_BYTES, batch, mutated
from test.fuzz.target import Target, largest_mb, within
from test.fuzz.targets import TARGETS

CASES, BATCH = 2000, 10
MOST_SECONDS = 20
"""For one case, on a machine that does much else; a case takes a few milliseconds, up to twenty of a recording."""
MOST_GROWTH_MB = 800
"""Of the process's largest memory, over all cases of a target: libraries that are loaded late, and one image of 64
megapixels with 16 bits, as it is decoded."""


@pytest.mark.filterwarnings("ignore")  # with which libraries tell of damage
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_bytes_are_refused_in_order(name: str) -> None:
    target = TARGETS[name]
    assert target.attempt(target.seeds[0]), "the first input is valid"

    @settings(
        max_examples=CASES // BATCH,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(min_size=BATCH * RECIPE_BYTES, max_size=BATCH * RECIPE_BYTES))
    def parse(recipes: bytes) -> None:
        for content in batch(recipes, target):
            with within(MOST_SECONDS):
                target.attempt(content)

    before_mb = largest_mb()
    parse()
    assert largest_mb() - before_mb < MOST_GROWTH_MB


@pytest.mark.parametrize("name", TARGETS)
def test_a_recipe_without_edits_gives_valid_bytes(name: str) -> None:
    target = TARGETS[name]
    assert mutated(bytes([2]), target) == target.repair(target.seeds[0])
    assert target.attempt(target.repair(target.seeds[0]))


def test_an_error_that_is_not_ours_is_found() -> None:
    def careless(content: bytes) -> None:
        raise IndexError(content[:1])

    with pytest.raises(IndexError):
        Target("careless", careless, lambda: [b"abc"]).attempt(b"a")
