# SPDX-License-Identifier: Apache-2.0
"""The page shows the frames it should, and their depths arrive."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from depthpro_ros.evaluation.report.columns import Columns
from depthpro_ros.evaluation.report.pictures import choose, encode, pack
from depthpro_ros.evaluation.results.record import FrameRecord
from test.evaluation.report.synthetic import Synthetic


def columns(errors: list[float], skipped: set[int] = frozenset(), name: str = "abs_rel") -> Columns:  # type: ignore[assignment]
    return Columns.of(
        FrameRecord(k, f"f{k}", "s", skipped="lost" if k in skipped else "", figures={name: error})
        for k, error in enumerate(errors)
    )


def unpack(content: bytes, height: int, width: int) -> NDArray[np.uint16]:
    """The reverse of `pack`, pixel by pixel."""
    raw = zlib.decompress(content)
    codes = np.zeros((height + 1, width + 1), np.int64)
    for v in range(height):
        for u in range(width):
            k = v * width + u
            folded = raw[k] | raw[height * width + k] << 8
            rest = folded // 2 if folded % 2 == 0 else -(folded + 1) // 2
            codes[v + 1, u + 1] = (codes[v + 1, u] + codes[v, u + 1] - codes[v, u] + rest) % 65536
    return codes[1:, 1:].astype(np.uint16)


@pytest.mark.parametrize("seed", range(3))
def test_packed_depths_come_back(seed: int) -> None:
    codes = np.random.default_rng(seed).integers(0, 65536, (7, 5)).astype(np.uint16)
    codes[2, 1:3] = 0, 65535
    assert (unpack(pack(codes), 7, 5) == codes).all()


def test_smooth_depth_takes_few_bytes() -> None:
    v, u = np.mgrid[0:96, 0:128]
    codes = (8000 + 3 * u + 2 * v).astype(np.uint16)
    assert len(pack(codes)) < codes.nbytes / 50


def test_a_picture_is_words_without_markup(tmp_path: Path) -> None:
    picture = Synthetic().write(tmp_path).thumbnail(0)
    assert picture is not None and picture.truth is not None
    words = encode(picture).split(" ")
    assert [float(word) for word in words[:2]] == [64, 48] and float(words[6]) == picture.step
    assert base64.b64decode(words[7]) == picture.jpeg
    assert (unpack(base64.b64decode(words[9]), 48, 64) == picture.truth).all()
    assert "<" not in encode(picture)


def test_a_picture_without_truth_says_so(tmp_path: Path) -> None:
    picture = Synthetic(truth=False).write(tmp_path).thumbnail(0)
    assert picture is not None and encode(picture).split(" ")[9] == "-"


def test_the_gallery_has_the_worst_the_middle_and_the_best() -> None:
    errors = [0.01 * ((7 * k) % 101) for k in range(101)]
    choice = choose(columns(errors), range(101), "none")
    worst, middle, best = ([round(100 * errors[k]) for k in group.places] for group in choice.gallery)
    assert worst == [100, 99, 98, 97, 96] and best == [0, 1, 2]
    assert sorted(middle) == [50, 51, 52] or all(47 <= value <= 53 for value in middle)
    assert choice.ranked_by == "abs_rel"


def test_no_frame_is_in_two_groups() -> None:
    for count in range(1, 15):
        choice = choose(columns([0.1 * k for k in range(count)]), range(count), "none")
        places = [place for group in choice.gallery for place in group.places]
        assert len(choice.gallery) == 3 and choice.first is not None
        if count > 2:
            assert len(set(places)) == len(places)


def test_frames_without_pictures_and_skipped_ones_are_not_chosen() -> None:
    choice = choose(columns([0.1] * 20, skipped={4}), [2, 4, 6], "none")
    assert choice.places == (2, 6)


def test_at_most_so_many_are_in_the_page_evenly_spread() -> None:
    choice = choose(columns([0.001 * k for k in range(1000)]), range(1000), "none", most=100)
    assert len(choice.places) == 100
    assert max(np.diff(choice.places)) <= 12
    assert set(range(995, 1000)) <= set(choice.places)


def test_higher_is_better_for_boundaries() -> None:
    choice = choose(columns([0.1, 0.5, 0.9], name="boundary_recall"), range(3), "none")
    assert [group.places for group in choice.gallery] == [(0,), (1,), (2,)]
    assert choice.gallery[0].title == "worst by boundary recall"


def test_without_scores_frames_are_at_even_distances() -> None:
    choice = choose(columns([1.0] * 80, name="model_ms"), range(80), "none")
    assert choice.ranked_by == "" and len(choice.gallery) == 1
    assert set(np.diff(choice.gallery[0].places)) <= {11, 12}


def test_without_pictures_there_is_nothing_to_show() -> None:
    choice = choose(columns([0.1]), [], "none")
    assert (choice.gallery, choice.places, choice.first) == ((), (), None)
