# SPDX-License-Identifier: Apache-2.0
"""Recordings of a fleet in one process: order, cuts, resuming, failures."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rosbags")

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topic_info import list_topics
from depthpro_ros.evaluation.bags.topics import choose_topics
from depthpro_ros.evaluation.fleet.pool import Done, Event, SingleProcess
from depthpro_ros.evaluation.fleet.units import Unit
from depthpro_ros.evaluation.fleet.work import Task, Worker
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.thumbnail import encode_depth
from depthpro_ros.evaluation.run.bag_source import BagSource
from depthpro_ros.evaluation.run.frames import Selection
from depthpro_ros.evaluation.run.predictors import PipelinePredictor
from depthpro_ros.evaluation.run.runner import records
from depthpro_ros.evaluation.run.scoring import FrameScorer
from test.evaluation.fleet.fleet_fixtures import (
    FakeEstimator,
    but_for_times,
    evaluate,
    lines,
    make_job,
    refusing_fake,
    write_bag,
)


class Interrupted(SingleProcess):
    """Control-C when so many units are done."""

    def __init__(self, worker: Worker, units: int) -> None:
        super().__init__(worker)
        self._left = units

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        for event in super().run(tasks):
            if isinstance(event.task, Unit) and self._left == 0:
                raise KeyboardInterrupt
            yield event
            self._left -= isinstance(event, Done) and isinstance(event.task, Unit)


def counting(root: Path) -> tuple[FakeEstimator, SingleProcess]:
    """A pool whose model tells how many images it has seen."""
    estimator = FakeEstimator()
    return estimator, SingleProcess(Worker(make_job(root, lambda: estimator)))


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """17 and 9 frames with a calibration, in this order."""
    write_bag(tmp_path / "fleet" / "a" / "run", 17, seed=1)
    write_bag(tmp_path / "fleet" / "b" / "run", 9, seed=2)
    return tmp_path / "fleet"


def test_records_are_in_the_order_of_recordings_and_frames(fleet: Path, tmp_path: Path) -> None:
    found = list(evaluate(fleet, tmp_path / "out", shard_frames=5).records())
    assert [record.index for record in found] == list(range(26))
    assert [record.scene for record in found] == ["a/run"] * 17 + ["b/run"] * 9
    stamps = [record.stamp_ns or 0 for record in found]
    assert stamps[:17] == sorted(stamps[:17]) and stamps[17:] == sorted(stamps[17:])
    assert len({record.id for record in found}) == 26


def test_intervals_are_over_recordings(fleet: Path, tmp_path: Path) -> None:
    summary = evaluate(fleet, tmp_path / "out").summary()
    assert set(summary.scenes) == {"a/run", "b/run"}
    assert (summary.frames, summary.evaluated) == (26, 26)


def test_cutting_makes_no_difference_where_the_focal_length_is_known(fleet: Path, tmp_path: Path) -> None:
    whole, cut = (evaluate(fleet, tmp_path / f"out_{n}", shard_frames=n) for n in (500, 4))
    assert lines(cut) == lines(whole)
    # flicker is a comparison with the frame before, which is in another unit
    assert sum("flicker" in record.figures for record in cut.records()) == 16 + 8


def test_a_fleet_is_evaluated_as_its_recordings_are_alone(fleet: Path, tmp_path: Path) -> None:
    merged = lines(evaluate(fleet, tmp_path / "out", shard_frames=6))
    with Recording(fleet / "b" / "run") as recording:
        source = BagSource(recording, choose_topics(list_topics(recording)), scene="b/run")
        scorer = FrameScorer(alignments=("none", "median_scale"))
        alone = [record for record, _ in records(source, PipelinePredictor(FakeEstimator()), scorer)]
    assert merged[17:] == but_for_times([dataclasses.replace(record, index=record.index + 17) for record in alone])


def test_an_estimated_focal_length_is_found_anew_in_each_unit(tmp_path: Path) -> None:
    # units that are too short for the filter to lock, after which the network does not estimate every frame
    write_bag(tmp_path / "fleet" / "run", 16, calibrated=False)
    focals = [r.focal for r in evaluate(tmp_path / "fleet", tmp_path / "out", shard_frames=8).records()]
    # nothing but the frame before, which is predicted too, stands in the filter when the second unit begins
    estimates = sorted(focal.estimated for focal in focals[7:9])
    assert estimates[0] <= focals[8].used <= estimates[1]
    whole = [r.focal for r in evaluate(tmp_path / "fleet", tmp_path / "whole").records()]
    assert whole[8].used != focals[8].used
    assert [focal.estimated for focal in whole[:10]] == [focal.estimated for focal in focals[:10]]
    assert [focal.estimated for focal in whole[10:]] == [None] * 6


def test_a_recording_that_cannot_be_read_is_named_and_stops_nothing(fleet: Path, tmp_path: Path) -> None:
    (fleet / "aa.mcap").write_bytes(b"this is no recording")
    folder = evaluate(fleet, tmp_path / "out")
    found = list(folder.records())
    assert [record.scene for record in found] == ["a/run"] * 17 + ["aa.mcap"] + ["b/run"] * 9
    # the reason and its reason
    assert "no colour images" in found[17].skipped and "no MCAP, SQLite or ROS 1 bag" in found[17].skipped
    assert folder.summary().evaluated == 26
    assert any(note.startswith("aa.mcap: could not be read") for note in folder.run().notes)


def test_a_recording_without_images_is_named(fleet: Path, tmp_path: Path) -> None:
    write_bag(fleet / "empty", 0)
    skipped = [record for record in evaluate(fleet, tmp_path / "out").records() if record.skipped]
    assert [record.scene for record in skipped] == ["empty"]
    assert "no colour images" in skipped[0].skipped


def test_options_apply_to_each_recording(fleet: Path, tmp_path: Path) -> None:
    job = dataclasses.replace(make_job(fleet), selection=Selection(stride=2, limit=3))
    found = list(evaluate(fleet, tmp_path / "out", job=job).records())
    assert [record.scene for record in found] == ["a/run"] * 3 + ["b/run"] * 3


def test_an_interrupted_run_keeps_what_is_complete_and_goes_on(fleet: Path, tmp_path: Path) -> None:
    expected = lines(evaluate(fleet, tmp_path / "whole", shard_frames=5))
    with pytest.raises(KeyboardInterrupt):
        evaluate(fleet, tmp_path / "out", Interrupted(Worker(make_job(fleet)), 2), shard_frames=5)
    part = ResultsFolder(tmp_path / "out")
    assert lines(part) == expected[:10]
    assert "not finished: 4 of 6 units with 16 frames are still to do" in part.run().notes
    estimator, pool = counting(fleet)
    assert lines(evaluate(fleet, tmp_path / "out", pool, shard_frames=5, resume=True)) == expected
    # of the 4 units 3 begin in the middle of a recording, after a frame that is predicted once more
    assert estimator.predicted == 16 + 3


def test_a_run_that_is_interrupted_in_its_first_unit_leaves_an_empty_evaluation(fleet: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        evaluate(fleet, tmp_path / "out", Interrupted(Worker(make_job(fleet)), 0))
    assert ResultsFolder(tmp_path / "out").summary().frames == 0


def test_new_recordings_are_added_and_old_ones_not_done_again(fleet: Path, tmp_path: Path) -> None:
    evaluate(fleet, tmp_path / "out")
    write_bag(fleet / "ab", 4, seed=3)
    estimator, pool = counting(fleet)
    resumed = evaluate(fleet, tmp_path / "out", pool, resume=True)
    assert estimator.predicted == 4
    assert lines(resumed) == lines(evaluate(fleet, tmp_path / "whole"))


def test_a_recording_that_has_changed_is_done_again(fleet: Path, tmp_path: Path) -> None:
    evaluate(fleet, tmp_path / "out")
    shutil.rmtree(fleet / "b" / "run")
    write_bag(fleet / "b" / "run", 9, seed=5)
    estimator, pool = counting(fleet)
    resumed = evaluate(fleet, tmp_path / "out", pool, resume=True)
    assert estimator.predicted == 9
    assert lines(resumed) == lines(evaluate(fleet, tmp_path / "whole"))


def test_a_recording_that_could_not_be_read_is_looked_at_again(fleet: Path, tmp_path: Path) -> None:
    (fleet / "c.mcap").write_bytes(b"not yet copied")
    evaluate(fleet, tmp_path / "out")
    (fleet / "c.mcap").unlink()
    write_bag(fleet / "c.mcap", 3, seed=4)
    assert lines(evaluate(fleet, tmp_path / "out", resume=True)) == lines(evaluate(fleet, tmp_path / "whole"))


def test_a_survey_that_was_half_written_is_made_again(fleet: Path, tmp_path: Path) -> None:
    expected = lines(evaluate(fleet, tmp_path / "out"))
    surveys = tmp_path / "out" / "units" / "recordings.jsonl"
    surveys.write_text(surveys.read_text()[:-20])
    for _ in range(2):
        assert lines(evaluate(fleet, tmp_path / "out", resume=True)) == expected


def test_what_was_cut_or_scored_otherwise_is_not_resumed(fleet: Path, tmp_path: Path) -> None:
    evaluate(fleet, tmp_path / "out")
    with pytest.raises(InputError, match="other settings"):
        evaluate(fleet, tmp_path / "out", shard_frames=7, resume=True)
    other = dataclasses.replace(make_job(fleet), slop_s=0.5)
    with pytest.raises(InputError, match="other settings"):
        evaluate(fleet, tmp_path / "out", job=other, resume=True)
    with pytest.raises(InputError, match="--force"):
        evaluate(fleet, tmp_path / "out")


def test_force_begins_anew(fleet: Path, tmp_path: Path) -> None:
    evaluate(fleet, tmp_path / "out")
    estimator, pool = counting(fleet)
    evaluate(fleet, tmp_path / "out", pool, force=True)
    assert estimator.predicted == 26


def test_a_unit_that_fails_three_times_is_skipped_frame_by_frame(fleet: Path, tmp_path: Path) -> None:
    # the image with number 7 of the first recording, in the second unit
    folder = evaluate(fleet, tmp_path / "out", job=make_job(fleet, partial(refusing_fake, 1)), shard_frames=6)
    found = list(folder.records())
    assert [record.index for record in found] == list(range(26))
    assert [record.index for record in found if record.skipped] == list(range(6, 12))
    assert {record.skipped for record in found[6:12]} == {
        "given up: RuntimeError: an image that this model cannot stand"
    }
    assert lines(folder)[12:] == lines(evaluate(fleet, tmp_path / "whole", shard_frames=6))[12:]
    assert any("frames 6 to 11 were given up" in note for note in folder.run().notes)


def test_a_picture_shows_the_frame_whose_record_it_is_of(fleet: Path, tmp_path: Path) -> None:
    folder = evaluate(fleet, tmp_path / "out", shard_frames=5)
    assert folder.pictured() == list(range(26))
    for bag, first, count in (("a/run", 0, 17), ("b/run", 17, 9)):
        with Recording(fleet / bag) as recording:
            frames = list(BagSource(recording, choose_topics(list_topics(recording))).frames())
        assert len(frames) == count
        for number, frame in enumerate(frames):
            picture = folder.thumbnail(first + number)
            # 64 pixels wide already, so that each pixel is a frame's
            np.testing.assert_array_equal(picture.truth, encode_depth(frame.truth_m))
            depth_m = 1 + frame.rgb[..., 0].astype(np.float32) / 64
            np.testing.assert_array_equal(picture.predicted, encode_depth(depth_m))
