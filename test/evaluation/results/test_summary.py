# SPDX-License-Identifier: Apache-2.0
"""Figures of the whole, from frames whose figures are known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from depthpro_ros.evaluation.metrics import score_image
from depthpro_ros.evaluation.results.profiles import Profiles
from depthpro_ros.evaluation.results.record import Focal, FrameRecord
from depthpro_ros.evaluation.results.run_info import ModelInfo, RunInfo, Settings
from depthpro_ros.evaluation.results.summary import summarise

SETTINGS = Settings("depth in ]0.001, 80] m", ("none",), "penalise", ("profiles",), "auto")
RUN = RunInfo("bag", "drive", "depthpro evaluate bag drive", ModelInfo("m", "abc", 1, "cpu", "float32"), SETTINGS)


def frame(index: int, factor: float, pixels: int = 100, scene: str = "a", estimated: float | None = None):
    truth = np.full((1, pixels), 2.0, np.float32)
    made = truth * factor
    everywhere = np.ones(truth.shape, bool)
    image = score_image(made, truth, mask=everywhere)
    return FrameRecord(
        index,
        f"f{index}",
        scene,
        index,
        "",
        pixels,
        {"abs_rel": image.scores.abs_rel, "frame_scale": 1 / factor},
        {"none": image.sums},
        Focal(10, 10.0, estimated, 10.0),
        Profiles.of(made, truth, everywhere),
    )


def test_means_are_over_frames_and_pools_over_pixels():
    summary = summarise(RUN, [frame(0, 1.1, 100), frame(1, 1.4, 300)])
    assert summary.figures["abs_rel"].mean == pytest.approx((0.1 + 0.4) / 2, rel=1e-5)
    assert summary.pooled["none"].abs_rel == pytest.approx((0.1 * 100 + 0.4 * 300) / 400, rel=1e-5)


def test_skipped_frames_are_counted_by_reason_and_in_no_figure():
    skipped = [FrameRecord(k, f"s{k}", "a", None, reason) for k, reason in enumerate(["dark", "dark", "late"])]
    summary = summarise(RUN, [*skipped, frame(3, 1.2)])
    assert (summary.frames, summary.evaluated, summary.skipped) == (4, 1, {"dark": 2, "late": 1})
    assert summary.figures["abs_rel"].mean == pytest.approx(0.2, rel=1e-5)


def test_a_figure_that_some_frames_lack_is_a_mean_of_those_that_have_it():
    lacking = FrameRecord(1, "f1", "a", 1, "", 0, {"model_ms": 7.0})
    summary = summarise(RUN, [frame(0, 1.3), lacking])
    assert summary.figures["abs_rel"].images == 1 and summary.figures["abs_rel"].missing == 1
    assert summary.figures["model_ms"].mean == 7.0 and summary.times["model_ms"].p50 == 7.0


def test_scenes_have_means_of_their_own():
    summary = summarise(RUN, [frame(0, 1.1, scene="a"), frame(1, 1.2, scene="b"), frame(2, 1.4, scene="b")])
    assert summary.scenes["a"]["abs_rel"] == pytest.approx(0.1, rel=1e-5)
    assert summary.scenes["b"]["abs_rel"] == pytest.approx(0.3, rel=1e-5)
    assert summary.figures["abs_rel"].scenes == 2
    assert summary.figures["abs_rel"].per_scene == pytest.approx(0.2, rel=1e-5)


def test_focal_lengths_within_a_share_of_the_truth():
    estimates = [10.0, 12.0, 14.0, 16.0]  # errors 0, 20, 40, 60 %
    summary = summarise(RUN, [frame(k, 1.0, estimated=e) for k, e in enumerate(estimates)])
    assert summary.focal is not None
    assert (summary.focal.within_25, summary.focal.within_50) == (0.5, 0.75)
    assert summary.focal.ratio_p50 == pytest.approx(1.3)
    assert summarise(RUN, [frame(0, 1.0)]).focal is None


def test_scale_that_frames_lack_is_described_over_time():
    summary = summarise(RUN, [frame(0, 1 / 0.9), frame(1, 1 / 1.1)])
    assert summary.scale is not None
    assert summary.scale.mean == pytest.approx(1.0) and summary.scale.peak_to_peak == pytest.approx(0.2)


def test_profiles_add_up():
    one, two = frame(0, 1.1, 100), frame(1, 1.4, 300)
    summary = summarise(RUN, [one, two])
    assert one.profiles is not None and two.profiles is not None and summary.profiles is not None
    total = one.profiles.by_range.pixels.sum() + two.profiles.by_range.pixels.sum()
    assert summary.profiles.by_range.pixels.sum() == total == 50 + 150  # every second column is counted


def test_what_is_not_a_number_is_null_in_json():
    value = summarise(RUN, [FrameRecord(0, "f", "a", 0, "", 0, {"flicker": math.nan})]).to_json()
    text = json.dumps(value, allow_nan=False)
    assert json.loads(text)["figures"]["flicker"]["mean"] is None
    assert json.loads(text)["schema_version"] == 1


def test_nothing_evaluated_is_a_summary_too():
    summary = summarise(RUN, [])
    assert (summary.frames, summary.evaluated, summary.figures, summary.profiles) == (0, 0, {}, None)


def test_how_a_run_was_made_comes_back_and_settings_have_a_hash():
    assert RunInfo.from_json(json.loads(json.dumps(RUN.to_json()))) == RUN
    other = Settings("depth in ]0.001, 10] m", ("none",), "penalise", ("profiles",), "auto")
    assert RUN.to_json()["settings_sha256"] == SETTINGS.sha256 != other.sha256
