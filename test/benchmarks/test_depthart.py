# SPDX-License-Identifier: Apache-2.0
"""The comparison of DepthART with teacher forcing, on a model that learns nothing in so few steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.depthart.arm import ARM_NAMES, ArmResult, Score, Settings, score_map, train_arm
from benchmarks.depthart.report import differences, page, paired_interval, plots, table, write_without_results
from benchmarks.depthart.scenes import HeldOut, Pool
from depthpro_ros.models.depthart.presets import PICO
from depthpro_ros.training.depthart.regression import Readout
from test.training.depthart.small import samples, small_model

SETTINGS = Settings(steps=2, batch=2, watch_every=1)


@pytest.fixture(scope="module")
def results() -> list[ArmResult]:
    model = small_model()
    readout = Readout(model)
    pool = Pool(samples(model, 6), torch.full((8, 8), 0.5))
    images = samples(model, 4)
    depth = torch.rand(4, 12, 16, generator=torch.Generator().manual_seed(0)) * 5 + 1
    held_out = HeldOut(torch.zeros(4, 12, 16, 3, dtype=torch.uint8), images.features, depth)
    return [train_arm(arm, seed, model, readout, pool, held_out, SETTINGS)[1] for seed in range(2) for arm in ARM_NAMES]


def test_every_arm_starts_where_the_others_do(results: list[ArmResult]) -> None:
    starts = {r.curve[0] for r in results if r.arm != "regression"}
    assert len(starts) == 1
    assert all([step for step, _ in r.curve] == [0, 1, 2] for r in results)


def test_every_arm_is_scored_by_both_decoders_after_every_scale(results: list[ArmResult]) -> None:
    for result in results:
        assert list(result.scores) == (["argmax"] if result.arm == "regression" else ["argmax", "sampled"])
        for score in result.scores.values():
            assert len(score.abs_rel) == 4
            if result.arm != "regression":
                assert score.abs_rel_of_scale[-1] == pytest.approx(np.mean(score.abs_rel))
                assert all(0 <= value <= np.log(PICO.tokenizer.codes) + 1e-4 for value in score.entropy_of_scale)


def test_results_survive_their_file(results: list[ArmResult], tmp_path: Path) -> None:
    results[1].write(tmp_path / "var-0.json")
    assert ArmResult.read(tmp_path / "var-0.json") == results[1]


def test_the_page_holds_every_row_and_says_how_it_was_made(results: list[ArmResult]) -> None:
    trivial = {"mean depth map": Score((0.5, 0.7), (0.1, 0.3))}
    text = page(results, trivial, (1, 2, 4), "# Notes", "python -m benchmarks.depthart", "arms.png")
    assert "| mean depth map | | 0.6000 | | 0.2000 |" in text
    assert text.count("| VAR (teacher forcing) |") == 2
    assert "2 seeds, 2 steps of 2 images" in text
    assert "python -m benchmarks.depthart" in text
    assert table(results, trivial) in text
    assert differences(results) in text


def test_before_the_first_run_the_page_says_so(tmp_path: Path) -> None:
    (tmp_path / "depthart_notes.md").write_text("# Notes\n")
    write_without_results(tmp_path)
    text = (tmp_path / "depthart.md").read_text()
    assert text.startswith("# Notes")
    assert "has not been run yet" in text


def test_the_plots_are_a_picture(results: list[ArmResult]) -> None:
    pytest.importorskip("matplotlib", reason="plots are made by matplotlib")
    assert plots(results, (1, 2, 4)).startswith(b"\x89PNG")


def test_an_interval_holds_the_standard_error_of_a_mean() -> None:
    rng = np.random.default_rng(0)
    second = rng.normal(0, 1, (3, 400))
    interval = paired_interval(second + 0.5 + rng.normal(0, 0.3, (1, 400)), second)
    assert interval.mean == pytest.approx(0.5, abs=0.06)
    # 1.96 standard errors of 400 differences of deviation 0.3
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 0.3 / 20, rel=0.15)


def test_a_map_that_is_the_truth_has_no_error() -> None:
    depth = torch.rand(1, 12, 16, generator=torch.Generator().manual_seed(0)) + 1
    held_out = HeldOut(torch.zeros(2, 12, 16, 3, dtype=torch.uint8), torch.zeros(2, 1, 1), depth.expand(2, -1, -1) * 3)
    assert score_map(depth[0], held_out).abs_rel == pytest.approx((0.0, 0.0), abs=1e-6)
