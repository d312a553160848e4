# SPDX-License-Identifier: Apache-2.0
"""A frame's results as a line of JSON, and its picture as a file."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthpro_ros.camera import Intrinsics
from depthpro_ros.evaluation.metrics import score_image
from depthpro_ros.evaluation.results.profiles import Profiles
from depthpro_ros.evaluation.results.record import Focal, FrameRecord
from depthpro_ros.evaluation.results.thumbnail import Thumbnail, decode_depth, encode_depth

RNG = np.random.default_rng(0)
TRUTH = RNG.uniform(0.5, 60, (24, 32)).astype(np.float32)
MADE = (TRUTH * RNG.uniform(0.6, 1.6, TRUTH.shape)).astype(np.float32)
EVERYWHERE = np.ones(TRUTH.shape, bool)


def record() -> FrameRecord:
    scored = score_image(MADE, TRUTH, mask=EVERYWHERE)
    return FrameRecord(
        3,
        'bag "one"/17',
        "bag",
        17,
        "",
        768,
        {"abs_rel": scored.scores.abs_rel, "flicker": math.nan},
        {"none": scored.sums},
        Focal(32, 40.0, None, 41.5),
        Profiles.of(MADE, TRUTH, EVERYWHERE),
    )


def test_a_record_comes_back_as_it_was():
    before = record()
    line = before.to_line()
    after = FrameRecord.from_line(line)
    assert "\n" not in line and after.to_line() == line
    assert after.sums == before.sums and after.focal == before.focal and after.id == before.id
    assert after.figures["abs_rel"] == before.figures["abs_rel"] and math.isnan(after.figures["flicker"])
    assert after.profiles is not None and before.profiles is not None
    assert np.array_equal(after.profiles.histogram, before.profiles.histogram)
    assert np.array_equal(after.profiles.by_row.signed, before.profiles.by_row.signed)


def test_a_skipped_frame_comes_back_too():
    before = FrameRecord(0, "a", "s", None, "no ground truth within 20 ms")
    assert FrameRecord.from_line(before.to_line()) == before


@pytest.mark.parametrize("line", ["", "{}", "[1]", '{"index": 1}'])
def test_what_is_no_record_is_refused(line):
    with pytest.raises((ValueError, KeyError, TypeError)):
        FrameRecord.from_line(line)


@given(st.floats(0.001, 1000.0))
def test_depth_codes_are_exact_to_a_twentieth_of_a_percent(depth_m):
    decoded = decode_depth(encode_depth(np.array([[depth_m]], np.float64)))
    assert decoded[0, 0] == pytest.approx(depth_m, rel=5.1e-4)


def test_depth_codes_know_what_is_no_depth():
    depth = np.array([[np.nan, 0.0, -1.0, np.inf, -np.inf, 1e30]])
    decoded = decode_depth(encode_depth(depth))[0]
    assert np.isnan(decoded[[0, 1, 2, 4]]).all() and decoded[3] == np.inf
    assert np.isfinite(decoded[5]) and decoded[5] > 1e6


def test_a_picture_shows_the_frames_own_pixels(tmp_path):
    rng = np.random.default_rng(1)
    depth = rng.uniform(1, 9, (480, 640)).astype(np.float32)
    rgb = np.full((480, 640, 3), (200, 100, 50), np.uint8)
    camera = Intrinsics(640, 480, 500.0, 510.0, 320.0, 240.0)
    Thumbnail.of(rgb, depth, None, camera).save(tmp_path / "t.npz")
    picture = Thumbnail.load(tmp_path / "t.npz")
    assert picture.predicted.shape == (96, 128) and picture.truth is None and picture.step == 5
    assert np.allclose(decode_depth(picture.predicted), depth[::5, ::5], rtol=6e-4)
    assert picture.focal == (100.0, 102.0, 64.0, 48.0)
    bgr = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None and bgr.shape == (96, 128, 3)
    assert np.abs(bgr.reshape(-1, 3).mean(0) - (50, 100, 200)).max() < 3


def test_a_small_frame_is_not_enlarged():
    camera = Intrinsics(32, 24, 40.0, 40.0, 15.5, 11.5)
    picture = Thumbnail.of(np.zeros((24, 32, 3), np.uint8), MADE, TRUTH, camera)
    assert picture.truth is not None and picture.truth.shape == (24, 32) and picture.step == 1


def test_records_differ_where_their_figures_do():
    assert record().to_line() != replace(record(), pixels=1).to_line()
