# SPDX-License-Identifier: Apache-2.0
"""Frames of a recording, with ground truth of the same moment."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

pytest.importorskip("rosbags")

from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topic_info import list_topics
from depthpro_ros.evaluation.bags.topics import choose_topics
from depthpro_ros.evaluation.run.bag_source import BagSource
from depthpro_ros.evaluation.run.frames import Selection, SkippedFrame, SourceFrame
from test.evaluation.run.world import FX, image_of, scene, stamp, write_bag


@contextmanager
def source(path, selection=None, **options):
    with Recording(path) as recording:
        choice = choose_topics(list_topics(recording))
        yield BagSource(recording, choice, selection or Selection(), **options)


@pytest.mark.parametrize("storage", ["mcap", "sqlite", "ros1"])
def test_every_image_comes_with_its_calibration_and_ground_truth(tmp_path, storage):
    with source(write_bag(tmp_path / "bag", 3, storage=storage)) as frames:
        assert frames.total == 3
        for number, frame in enumerate(frames.frames()):
            assert isinstance(frame, SourceFrame)
            assert (frame.id, frame.scene, frame.stamp_ns) == (f"bag/{stamp(number)}", "bag", stamp(number))
            assert np.array_equal(frame.rgb, image_of(scene(number)))
            assert frame.truth_m is not None and np.allclose(frame.truth_m, scene(number) / 10, rtol=1e-6)
            assert frame.true_fx_px == FX and frame.camera is not None and frame.frame_id == "camera"


def test_an_image_without_partner_is_skipped_with_the_reason_and_the_rest_goes_on(tmp_path):
    with source(write_bag(tmp_path / "bag", 4, without_truth=[1])) as frames:
        found = list(frames.frames())
        notes = " ".join(frames.notes)
    assert [isinstance(frame, SkippedFrame) for frame in found] == [False, True, False, False]
    assert found[1] == SkippedFrame(f"bag/{stamp(1)}", "bag", stamp(1), "no ground truth within 20 ms")
    assert "3 pairs, 3 with equal stamps" in notes and "1 images" in notes


def test_the_slop_decides_who_are_partners(tmp_path):
    path = write_bag(tmp_path / "bag", 2, truth_shift_ns=30_000_000)
    with source(path) as frames:
        assert all(isinstance(frame, SkippedFrame) for frame in frames.frames())
    with source(path, slop_s=0.04) as frames:
        assert all(isinstance(frame, SourceFrame) for frame in frames.frames())


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (Selection(stride=2), [0, 2, 4]),
        (Selection(limit=2), [0, 1]),
        (Selection(start_s=0.2, end_s=0.4), [2, 3, 4]),
        (Selection(start_s=0.1, stride=3, limit=1), [1]),
    ],
)
def test_a_selection_is_of_the_images_by_time_then_stride_then_limit(tmp_path, selection, chosen):
    with source(write_bag(tmp_path / "bag", 6), selection) as frames:
        assert frames.total == len(chosen)
        assert [frame.stamp_ns for frame in frames.frames()] == [stamp(number) for number in chosen]


def test_a_part_is_the_same_as_in_the_whole(tmp_path):
    with source(write_bag(tmp_path / "bag", 5, without_truth=[2])) as frames:
        whole = list(frames.frames())
        part = list(frames.frames(1, 4))
    assert [frame.id for frame in part] == [frame.id for frame in whole[1:4]]
    assert np.array_equal(part[2].truth_m, whole[3].truth_m)


def test_an_image_that_cannot_be_decoded_is_skipped(tmp_path):
    with source(write_bag(tmp_path / "bag", 3, damaged=[1])) as frames:
        found = list(frames.frames())
    assert isinstance(found[1], SkippedFrame) and "yuv999" in found[1].reason
    assert isinstance(found[2], SourceFrame)


def test_without_calibration_the_focal_length_is_unknown_and_a_note_says_so(tmp_path):
    with source(write_bag(tmp_path / "bag", 1, info=False)) as frames:
        frame = next(frames.frames())
        assert isinstance(frame, SourceFrame)
        assert frame.camera is None and frame.true_fx_px is None and frame.truth_m is not None
        assert "focal length is estimated" in frames.notes[0]


def test_a_bag_without_ground_truth_has_frames_all_the_same(tmp_path):
    with source(write_bag(tmp_path / "bag", 2, truth=False)) as frames:
        found = list(frames.frames())
    assert len(found) == 2 and all(isinstance(f, SourceFrame) and f.truth_m is None for f in found)
