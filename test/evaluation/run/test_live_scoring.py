# SPDX-License-Identifier: Apache-2.0
"""A node's answers, scored beside the recording that was replayed into it."""

from __future__ import annotations

import io

import numpy as np
import pytest

pytest.importorskip("rosbags")

from depthpro_ros.camera import Intrinsics
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topic_info import list_topics
from depthpro_ros.evaluation.bags.topics import choose_topics
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.run.bag_source import BagSource
from depthpro_ros.evaluation.run.describe import describe
from depthpro_ros.evaluation.run.live_scoring import DROPPED, UNSCORED, Answered, LiveScoring
from depthpro_ros.evaluation.run.progress import Progress
from depthpro_ros.evaluation.run.scoring import FrameScorer
from test.evaluation.run.world import FX, HEIGHT, WIDTH, scene, stamp, write_bag

CAMERA = Intrinsics(WIDTH, HEIGHT, FX, FX, 23.5, 15.5)


def answer(number: int, factor: float = 1.0, latency_ms: float = 50.0) -> Answered:
    depth_m = (scene(number) / 10 * factor).astype(np.float32)
    return Answered(stamp(number), latency_ms, depth_m, CAMERA, 1.2 * FX)


@pytest.fixture
def scored(tmp_path):
    """Scores answers to a bag of six frames, the third without ground truth."""

    def score(*answers: Answered):
        scorer = FrameScorer()
        info = describe("node", "bag", "depthpro", scorer, model=None, focal="auto")
        folder = ResultsFolder.create(tmp_path / "out", info)
        with Recording(write_bag(tmp_path / "bag", 6, without_truth=[2])) as recording:
            source = BagSource(recording, choose_topics(list_topics(recording)))
            scoring = LiveScoring(source, scorer, folder, Progress(6, stream=io.StringIO()))
            for one in answers:
                scoring.take(one)
        return list(folder.records())

    return score


def test_answers_are_scored_with_their_latency_and_focal_lengths(scored):
    records = scored(answer(0, 1.1, 40.0), answer(1, 1.2, 60.0))
    assert [r.figures["abs_rel"] for r in records] == pytest.approx([0.1, 0.2], rel=1e-5)
    assert [r.figures["latency_ms"] for r in records] == [40.0, 60.0]
    assert records[0].figures["focal_ratio"] == pytest.approx(1.2) and records[0].focal.true == FX


def test_frames_that_have_no_score_say_why(scored):
    dropped = Answered(stamp(1), None, None, None, None)
    late = Answered(stamp(3), 50.0, None, None, None)
    stranger = Answered(stamp(3) + 1, 50.0, answer(3).depth_m, CAMERA, None)
    records = scored(answer(0), dropped, answer(2), late, stranger, answer(4))
    assert [record.skipped for record in records] == [
        "",
        DROPPED,
        "no ground truth within 20 ms",
        UNSCORED,
        "no image of this stamp in the recording",
        "",
    ]
    assert [record.index for record in records] == list(range(6))


def test_flicker_is_between_one_answer_and_the_next_whatever_was_dropped_between(scored):
    still = scene(0)
    same = [Answered(stamp(n), 50.0, (still / 10 * f).astype(np.float32), CAMERA, None) for n, f in ((0, 1), (1, 1.1))]
    records = scored(same[0], same[1])
    assert records[1].figures["flicker"] == pytest.approx(np.log(1.1), rel=1e-4)


def test_an_image_that_was_sent_out_of_order_finds_its_ground_truth(scored):
    records = scored(answer(1), answer(3), answer(4, 1.3))
    assert [r.figures["abs_rel"] for r in records] == pytest.approx([0, 0, 0.3], abs=1e-5)
