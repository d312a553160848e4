# SPDX-License-Identifier: Apache-2.0
"""Evaluations from the first frame to the last, broken off and gone on with."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("rosbags")

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topic_info import list_topics
from depthpro_ros.evaluation.bags.topics import choose_topics
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.results.thumbnail import decode_depth
from depthpro_ros.evaluation.run.bag_source import BagSource
from depthpro_ros.evaluation.run.describe import describe
from depthpro_ros.evaluation.run.predictors import PipelinePredictor
from depthpro_ros.evaluation.run.runner import evaluate, records
from depthpro_ros.evaluation.run.scoring import FrameScorer
from test.evaluation.run.world import FX, WIDTH, ReadsDepth, scene, write_bag

TIMES = ("model_ms", "pipeline_ms", "frame_ms")
WANDERING = tuple(FX * (1 + 0.02 * k) for k in range(20))


def run_info(scorer: FrameScorer, source: str = "bag"):
    return describe("bag", source, "depthpro evaluate bag bag", scorer, model=None, focal="auto")


@contextmanager
def source_of(path):
    with Recording(path) as recording:
        yield BagSource(recording, choose_topics(list_topics(recording)))


def timeless(record: FrameRecord) -> str:
    figures = {name: value for name, value in record.figures.items() if name not in TIMES}
    return replace(record, figures=figures).to_line()


def test_every_frame_is_recorded_in_order_with_its_scores(tmp_path):
    scorer = FrameScorer()
    folder = ResultsFolder.create(tmp_path / "out", run_info(scorer))
    with source_of(write_bag(tmp_path / "bag", 5, without_truth=[3])) as source:
        assert evaluate(source, PipelinePredictor(ReadsDepth(1.1)), scorer, folder) == 4
    found = list(folder.records())
    assert [record.index for record in found] == [0, 1, 2, 3, 4]
    assert [bool(record.skipped) for record in found] == [False, False, False, True, False]
    assert all(r.figures["abs_rel"] == pytest.approx(0.1, rel=1e-5) for r in found if not r.skipped)
    assert all(name in found[0].figures for name in TIMES)
    summary = folder.summary()
    assert (summary.frames, summary.evaluated, summary.skipped) == (5, 4, {"no ground truth within 20 ms": 1})
    assert summary.figures["abs_rel"].mean == pytest.approx(0.1, rel=1e-5)
    assert summary.pooled["none"].abs_rel == pytest.approx(0.1, rel=1e-5)


@pytest.mark.parametrize("broken_at", [1, 3, 5])
def test_an_evaluation_that_was_broken_off_goes_on_as_if_it_had_not_been(tmp_path, broken_at):
    """Also the focal filter, whose median depends on what it has seen, and flicker, which needs the frame before."""
    scorer = FrameScorer()
    path = write_bag(tmp_path / "bag", 6, info=False)
    whole = ResultsFolder.create(tmp_path / "whole", run_info(scorer))
    broken = ResultsFolder.create(tmp_path / "broken", run_info(scorer))
    with source_of(path) as source:
        evaluate(source, PipelinePredictor(ReadsDepth(focal_px=WANDERING)), scorer, whole)
        with pytest.raises(KeyboardInterrupt):
            evaluate(source, PipelinePredictor(ReadsDepth(focal_px=WANDERING, fails_at=broken_at)), scorer, broken)
        assert sum(1 for _ in broken.records()) == broken_at
        # a line that was not finished, too
        with (broken.path / "frames.jsonl").open("a") as file:
            file.write('{"index":')
        resumed = ResultsFolder.create(tmp_path / "broken", run_info(scorer), resume=True)
        again = ReadsDepth(focal_px=WANDERING, estimates=broken_at - 1)
        evaluate(source, PipelinePredictor(again), scorer, resumed)
    assert [timeless(r) for r in resumed.records()] == [timeless(r) for r in whole.records()]


def test_shards_are_the_same_as_the_whole_where_the_focal_length_is_known(tmp_path):
    scorer = FrameScorer()
    with source_of(write_bag(tmp_path / "bag", 7)) as source:
        whole = [timeless(r) for r, _ in records(source, PipelinePredictor(ReadsDepth(0.9)), scorer)]
        shards = [
            timeless(r)
            for start in (0, 3, 6)
            for r, _ in records(source, PipelinePredictor(ReadsDepth(0.9)), scorer, start, min(start + 3, 7))
        ]
    assert shards == whole


def test_a_frame_that_the_pipeline_refuses_is_skipped_and_the_next_has_no_frame_before_it(tmp_path):
    class Refuses(ReadsDepth):
        def predict(self, rgb, focal_px=None):
            if self.calls == 1:
                self.calls += 1
                raise InputError("this image is too strange")
            return super().predict(rgb, focal_px)

    with source_of(write_bag(tmp_path / "bag", 4)) as source:
        found = [record for record, _ in records(source, PipelinePredictor(Refuses()), FrameScorer())]
    assert [record.skipped for record in found] == ["", "this image is too strange", "", ""]
    assert "flicker" not in found[2].figures and "flicker" in found[3].figures


def test_pictures_keep_the_depth_of_their_pixels(tmp_path):
    scorer = FrameScorer()
    folder = ResultsFolder.create(tmp_path / "out", run_info(scorer))
    with source_of(write_bag(tmp_path / "bag", 2)) as source:
        evaluate(source, PipelinePredictor(ReadsDepth(1.5)), scorer, folder)
    picture = folder.thumbnail(1)
    assert picture is not None and picture.truth is not None and picture.predicted.shape == (32, WIDTH)
    assert np.allclose(decode_depth(picture.truth), scene(1) / 10, rtol=6e-4)
    assert np.allclose(decode_depth(picture.predicted), scene(1) / 10 * 1.5, rtol=6e-4)
    assert picture.focal[0] == FX


def test_results_are_not_overwritten_and_not_mixed(tmp_path):
    scorer = FrameScorer()
    folder = ResultsFolder.create(tmp_path / "out", run_info(scorer))
    folder.add(FrameRecord(0, "a", "s"))
    with pytest.raises(InputError, match="--force"):
        ResultsFolder.create(tmp_path / "out", run_info(scorer))
    with pytest.raises(InputError, match="other settings"):
        ResultsFolder.create(tmp_path / "out", run_info(FrameScorer(metrics=())), resume=True)
    with pytest.raises(InputError, match="not of bag other"):
        ResultsFolder.create(tmp_path / "out", run_info(scorer, "other"), resume=True)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    emptied = ResultsFolder.create(tmp_path / "out", run_info(scorer), force=True)
    assert not list(emptied.records()) and (tmp_path / "out" / "notes.txt").read_text() == "mine"
