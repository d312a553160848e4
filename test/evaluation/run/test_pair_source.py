# SPDX-License-Identifier: Apache-2.0
"""Recorded depth against recorded ground truth."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rosbags")

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topic_info import list_topics
from depthpro_ros.evaluation.bags.topics import choose_topics
from depthpro_ros.evaluation.run.frames import SkippedFrame, SourceFrame
from depthpro_ros.evaluation.run.pair_source import PairSource
from depthpro_ros.evaluation.run.predictors import RecordedPredictor
from depthpro_ros.evaluation.run.runner import records
from depthpro_ros.evaluation.run.scoring import FrameScorer
from test.bag_writer import BagWriter
from test.evaluation.run.world import FX, HEIGHT, WIDTH, image_of, scene, stamp, write_bag


def write_prediction(path, factor: float, numbers, info: bool = True):
    with BagWriter(path) as bag:
        for number in numbers:
            if info:
                bag.info("/depth/camera_info", stamp(number), 1.1 * FX, width=WIDTH, height=HEIGHT, centre=(23.5, 15.5))
            depth_m = (scene(number) / 10 * factor).astype(np.float32)
            bag.image("/depth/image", stamp(number), depth_m, "32FC1")
    return bag.path


def test_predictions_are_scored_by_stamp_and_those_without_partner_are_skipped(tmp_path):
    truth = write_bag(tmp_path / "truth", 4, without_truth=[2])
    with Recording(write_prediction(tmp_path / "made", 1.25, [0, 2, 3])) as made, Recording(truth) as true:
        source = PairSource(made, "/depth/image", true, choose_topics(list_topics(true)))
        found = list(source.frames())
        scored = [record for record, _ in records(source, RecordedPredictor(), FrameScorer())]
    assert [isinstance(frame, SkippedFrame) for frame in found] == [False, True, False]
    assert found[2].id == f"truth/{stamp(3)}"  # as an evaluation of the recording itself names it
    assert isinstance(found[2], SourceFrame) and np.array_equal(found[2].rgb, image_of(scene(3)))
    assert scored[0].figures["abs_rel"] == pytest.approx(0.25, rel=1e-5)
    assert scored[1].skipped == "no ground truth within 20 ms"
    assert (scored[0].focal.used, scored[0].focal.true) == (2.2 * FX, FX)  # P of the prediction, K of the image


def test_depth_and_ground_truth_may_be_in_one_recording(tmp_path):
    path = write_bag(tmp_path / "bag", 2)
    with Recording(path) as one, Recording(path) as two:
        choice = choose_topics(list_topics(two))
        source = PairSource(one, str(choice.truth), two, choice)
        scored = [record for record, _ in records(source, RecordedPredictor(), FrameScorer())]
    assert [record.figures["abs_rel"] for record in scored] == [0, 0]


def test_without_any_calibration_it_says_what_is_missing(tmp_path):
    truth = write_bag(tmp_path / "truth", 1, info=False)
    made_path = write_prediction(tmp_path / "made", 1.0, [0], info=False)
    with Recording(made_path) as made, Recording(truth) as true, pytest.raises(InputError, match="no CameraInfo"):
        PairSource(made, "/depth/image", true, choose_topics(list_topics(true)))
