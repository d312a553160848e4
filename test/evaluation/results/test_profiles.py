# SPDX-License-Identifier: Apache-2.0
"""Where errors are, on maps whose errors are known, and against NumPy's histograms."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from depthpro_ros.evaluation.results.profiles import (
    HISTOGRAM_EDGES_M,
    RADII,
    RANGE_EDGES_M,
    ROWS,
    SAMPLED,
    Binned,
    Profiles,
    row_centres,
)

HEIGHT, WIDTH = 64, 96
SAMPLES = HEIGHT // SAMPLED * (WIDTH // SAMPLED)
EVERYWHERE = np.ones((HEIGHT, WIDTH), bool)


def flat(depth_m: float) -> np.ndarray:
    return np.full((HEIGHT, WIDTH), depth_m, np.float32)


def filled(binned: Binned) -> list[int]:
    return np.flatnonzero(binned.pixels).tolist()


@pytest.mark.parametrize(("factor", "right"), [(1.125, 1.0), (0.875, 1.0), (1.5, 0.0), (0.5, 0.0), (1.25, 0.0)])
def test_one_depth_with_one_error(factor: float, right: float) -> None:
    """4 m is between 3 and 5; every bin of rows and radii has the same mean."""
    profiles = Profiles.of(factor * flat(4.0), flat(4.0), EVERYWHERE)
    assert filled(profiles.by_range) == [RANGE_EDGES_M.index(3.0)]
    for binned in (profiles.by_range, profiles.by_row, profiles.by_radius):
        there = binned.pixels > 0
        assert binned.pixels.sum() == SAMPLES
        np.testing.assert_allclose(binned.abs_rel[there], abs(factor - 1), rtol=1e-6)
        np.testing.assert_allclose(binned.bias[there], factor - 1, rtol=1e-6)
        np.testing.assert_array_equal(binned.delta1[there], right)


@pytest.mark.parametrize(
    ("depth_m", "place"), [(0.5, 0), (1.0, 1), (1.99, 1), (2.0, 2), (79.9, 8), (80.0, 9), (1e4, 9)]
)
def test_a_range_holds_its_lower_edge_but_not_its_upper(depth_m: float, place: int) -> None:
    assert filled(Profiles.of(flat(depth_m), flat(depth_m), EVERYWHERE).by_range) == [place]


def test_rows_from_the_top() -> None:
    """The lower half is twice as far: its bins have an error of 1, the upper ones of 0."""
    predicted = flat(2.0)
    predicted[HEIGHT // 2 :] *= 2
    by_row = Profiles.of(predicted, flat(2.0), EVERYWHERE).by_row
    assert by_row.abs_rel.tolist() == [0.0] * (ROWS // 2) + [1.0] * (ROWS // 2)
    assert row_centres()[:2] == [0.5 / ROWS, 1.5 / ROWS]


def test_radius_from_the_middle_to_the_corner() -> None:
    """Beyond half of the way to the corner the prediction is half as far; a ring has as many pixels as its area."""
    v, u = np.mgrid[0:HEIGHT, 0:WIDTH]
    radius = np.hypot(u - (WIDTH - 1) / 2, v - (HEIGHT - 1) / 2) / math.hypot((WIDTH - 1) / 2, (HEIGHT - 1) / 2)
    by_radius = Profiles.of(np.where(radius < 0.5, 1, 0.5) * flat(2.0), flat(2.0), EVERYWHERE).by_radius
    np.testing.assert_array_equal(by_radius.bias, [0.0] * (RADII // 2) + [-0.5] * (RADII // 2))
    area = math.pi * (0.2**2 - 0.1**2) * ((WIDTH - 1) ** 2 + (HEIGHT - 1) ** 2) / 4 / SAMPLED**2
    assert by_radius.pixels[1] == pytest.approx(area, rel=0.1)


def test_histogram_has_truth_first_and_prediction_second() -> None:
    bins = len(HISTOGRAM_EDGES_M) - 1
    true, predicted = 12, 30
    middle = np.sqrt(HISTOGRAM_EDGES_M[:-1] * HISTOGRAM_EDGES_M[1:])
    histogram = Profiles.of(flat(middle[predicted]), flat(middle[true]), EVERYWHERE).histogram
    assert histogram.shape == (bins, bins)
    assert histogram[true, predicted] == SAMPLES == histogram.sum()


def test_what_lies_beyond_the_histogram_is_in_its_outermost_cells() -> None:
    histogram = Profiles.of(flat(1e3), flat(1e-3), EVERYWHERE).histogram
    assert histogram[0, -1] == SAMPLES == histogram.sum()


def test_only_known_truth_with_a_prediction_counts() -> None:
    predicted, mask = flat(2.0), EVERYWHERE.copy()
    mask[: HEIGHT // 2] = False
    predicted[:, : WIDTH // 2] = np.nan
    truth = flat(2.0)
    truth[-SAMPLED] = np.nan
    profiles = Profiles.of(predicted, truth, mask)
    assert profiles.by_range.pixels.sum() == SAMPLES // 4 - WIDTH // 2 // SAMPLED
    assert np.isnan(profiles.by_row.abs_rel[0])


def test_of_nothing() -> None:
    profiles = Profiles.of(flat(2.0), flat(2.0), ~EVERYWHERE)
    assert profiles.histogram.sum() == profiles.by_row.pixels.sum() == 0
    assert profiles.histogram.shape == Profiles.empty().histogram.shape


@pytest.mark.parametrize("shape", [(64, 96), (61, 47), (1, 1), (17, 200)])
def test_numpys_histograms_agree(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.2, 90, shape).astype(np.float32)
    predicted = truth * rng.uniform(0.6, 1.6, shape).astype(np.float32)
    mask = rng.random(shape) < 0.8
    mask[0, 0] = True
    profiles = Profiles.of(predicted, truth, mask)
    v, u = np.nonzero(mask)
    sampled = (v % SAMPLED == 0) & (u % SAMPLED == 0)
    v, u = v[sampled], u[sampled]
    p, d = predicted[v, u].astype(float), truth[v, u].astype(float)
    corner = np.hypot((shape[1] - 1) / 2, (shape[0] - 1) / 2) or 1
    radius = np.hypot(u - (shape[1] - 1) / 2, v - (shape[0] - 1) / 2) / corner
    weights = {
        "pixels": np.ones(len(p)),
        "relative": abs(p / d - 1),
        "signed": p / d - 1,
        "right": 1.0 * (np.maximum(p / d, d / p) < 1.25),
    }
    for binned, where, edges in (
        (profiles.by_range, d, RANGE_EDGES_M),
        (profiles.by_row, v / shape[0], np.linspace(0, 1, ROWS + 1)),
        (profiles.by_radius, radius, np.linspace(0, 1, RADII + 1)),
    ):
        for name, values in weights.items():
            expected = np.histogram(where, edges, weights=values)[0]
            np.testing.assert_allclose(getattr(binned, name), expected, rtol=1e-5, atol=1e-5, err_msg=name)
    expected = np.histogram2d(*np.clip([d, p], 0.1, 99.99), [HISTOGRAM_EDGES_M] * 2)[0]
    np.testing.assert_array_equal(profiles.histogram, expected)


def test_frames_add_up_and_survive_json() -> None:
    one = Profiles.of(1.1 * flat(4.0), flat(4.0), EVERYWHERE)
    other = Profiles.of(0.9 * flat(6.0), flat(6.0), EVERYWHERE)
    both = Profiles.from_json(json.loads(json.dumps((one + other).to_json())))
    assert both.by_row.pixels.sum() == 2 * SAMPLES
    np.testing.assert_allclose(both.by_row.bias, 0, atol=1e-6)
    np.testing.assert_allclose(both.by_row.abs_rel, 0.1, rtol=1e-6)
    np.testing.assert_array_equal(both.histogram, one.histogram + other.histogram)
    np.testing.assert_allclose(both.by_range.signed, one.by_range.signed + other.by_range.signed)
