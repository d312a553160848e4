# SPDX-License-Identifier: Apache-2.0
"""Boundary metrics against a loop over pixels, and known answers."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.boundaries import boundary_f1, boundary_recall, thinned

THRESHOLDS = [1.05 + 0.2 * k / 9 for k in range(10)]
STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))


def patches(seed: int, height: int = 13, width: int = 17) -> np.ndarray:
    """Depth with many small steps, about the size of the thresholds."""
    return 2 * np.exp(np.random.default_rng(seed).normal(0, 0.12, (height, width)))


def nearer(depth: np.ndarray, y: int, x: int, dy: int, dx: int) -> float:
    """How many times nearer the neighbour is than this pixel, one pair at a time."""
    here, there = max(float(depth[y, x]), 1e-6), max(float(depth[y + dy, x + dx]), 1e-6)
    if math.isinf(here):
        return 1.0 if math.isinf(there) else math.inf
    return here / there


def pairs(depth: np.ndarray, valid: np.ndarray, dy: int, dx: int) -> list[list[tuple[int, int]]]:
    """Pixels with a neighbour in this direction, as lines along it; lines end at invalid pairs."""
    height, width = depth.shape
    lines = []
    for fixed in range(height if dx else width):
        line: list[tuple[int, int]] = []
        for moving in range(width if dx else height):
            y, x = (fixed, moving) if dx else (moving, fixed)
            inside = 0 <= y + dy < height and 0 <= x + dx < width
            if inside and valid[y, x] and valid[y + dy, x + dx]:
                line.append((y, x))
            else:
                lines.append(line)
                line = []
        lines.append(line)
    return lines


def f1_by_loop(predicted: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> float:
    total = 0.0
    for t in THRESHOLDS:
        precision = recall = 0.0
        for dy, dx in STEPS:
            hits = trues = both = 0
            for y, x in itertools.chain(*pairs(predicted, valid, dy, dx)):
                hit, true = nearer(predicted, y, x, dy, dx) > t, nearer(truth, y, x, dy, dx) > t
                hits, trues, both = hits + hit, trues + true, both + (hit and true)
            precision += both / max(hits, 1) / 4
            recall += both / max(trues, 1) / 4
        if precision + recall:
            total += t / sum(THRESHOLDS) * 2 * precision * recall / (precision + recall)
    return total


def recall_by_loop(predicted: np.ndarray, mask: np.ndarray, valid: np.ndarray) -> float:
    total = 0.0
    for t in THRESHOLDS:
        for dy, dx in STEPS:
            trues = both = 0
            for line in pairs(predicted, valid, dy, dx):
                ratios = [nearer(predicted, y, x, dy, dx) for y, x in line]
                place = 0
                kept = set()
                while place < len(line):
                    end = place
                    while end < len(line) and ratios[end] > t:
                        end += 1
                    if end > place:
                        kept.add(max(range(place, end), key=lambda k: ratios[k]))
                    place = end + 1
                for k, (y, x) in enumerate(line):
                    true = bool(mask[y + dy, x + dx]) and not mask[y, x]
                    trues, both = trues + true, both + (true and k in kept)
            total += t / sum(THRESHOLDS) * both / max(trues, 1) / 4
    return total


@pytest.mark.parametrize("seed", range(4))
def test_f1_agrees_with_a_loop(seed: int) -> None:
    predicted, truth = patches(seed), patches(seed + 100)
    everywhere = np.ones(truth.shape, bool)
    assert boundary_f1(predicted, truth) == pytest.approx(f1_by_loop(predicted, truth, everywhere))
    valid = np.random.default_rng(seed).random(truth.shape) > 0.2
    assert boundary_f1(predicted, truth, valid) == pytest.approx(f1_by_loop(predicted, truth, valid))


@pytest.mark.parametrize("seed", range(4))
def test_recall_agrees_with_a_loop(seed: int) -> None:
    predicted, mask = patches(seed), patches(seed + 100) > 2
    everywhere = np.ones(mask.shape, bool)
    assert boundary_recall(predicted, mask) == pytest.approx(recall_by_loop(predicted, mask, everywhere))
    valid = np.random.default_rng(seed).random(mask.shape) > 0.2
    assert boundary_recall(predicted, mask, valid) == pytest.approx(recall_by_loop(predicted, mask, valid))


def whole_numbers(seed: int, dtype: str, holes: bool) -> tuple[np.ndarray, np.ndarray]:
    """Depths that are the same on every machine."""
    rows, columns = np.mgrid[0:40, 0:50]
    truth = (64 + (rows * columns * (seed + 3)) % 23).astype(dtype)
    predicted = (truth + (rows * 7 + columns * columns * (seed + 1)) % 11).astype(dtype)
    if holes:
        truth[rows % 9 == 4] = 0
        predicted[columns % 13 == 5] = np.nan
        truth[:5] = np.inf
    return predicted, truth


@pytest.mark.parametrize(
    ("seed", "dtype", "holes", "f1", "recall"),
    [
        (0, "float32", False, "0x1.500ac42339718p-1", "0x1.004de8fabb494p-10"),
        (0, "float32", True, "0x1.05f83aadabd15p-1", "0x1.5dc919773511cp-9"),
        (0, "float64", False, "0x1.4fdf0569169e1p-1", "0x1.004de8fabb494p-10"),
        (0, "float64", True, "0x1.05c5f9727c47ap-1", "0x1.5dc919773511cp-9"),
        (1, "float32", False, "0x1.52852ebd23e3cp-1", "0x1.03ec39feacca6p-10"),
        (1, "float32", True, "0x1.feb0e61e10251p-2", "0x1.73435bb0f5805p-8"),
        (1, "float64", False, "0x1.5243b17f5e76fp-1", "0x1.03ec39feacca6p-10"),
        (1, "float64", True, "0x1.fe1d1ff262dd0p-2", "0x1.73435bb0f5805p-8"),
    ],
)
def test_published_code_to_the_last_bit(seed: int, dtype: str, holes: bool, f1: str, recall: str) -> None:
    """What apple/ml-depth-pro's SI_boundary_F1 and SI_boundary_Recall (commit 3b5cd1e) give, with NumPy 2."""
    predicted, truth = whole_numbers(seed, dtype, holes)
    assert boundary_f1(predicted, truth, masked=False).hex() == f1
    assert boundary_recall(predicted, truth > 75, masked=False).hex() == recall


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (0, 5)])
def test_f1_of_narrow_maps_agrees_with_a_loop(shape: tuple[int, int]) -> None:
    predicted, truth = patches(1, *shape), patches(101, *shape)
    everywhere = np.ones(shape, bool)
    assert boundary_f1(predicted, truth, masked=False) == pytest.approx(f1_by_loop(predicted, truth, everywhere))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_steps_at_a_threshold(dtype: type) -> None:
    """The published code compares ratios of the map's type with thresholds of float64."""
    thresholds = np.linspace(1.05, 1.25, 10)
    for threshold in thresholds:
        for step in (-1, 0, 1):
            nearest = np.array(threshold).astype(dtype)
            ratio = np.nextafter(nearest, dtype(2 * step)) if step else nearest
            depth = np.array([[1.0, 1.0 / float(ratio)], [1.0, 1.0]], dtype)
            nearness = 1.0 / depth
            above = np.float64(nearness[0, 1] / nearness[0, 0]) > thresholds
            # two of the four directions have this edge: P = R = 1/2
            weights = thresholds / thresholds.sum()
            assert boundary_f1(depth, depth, masked=False) == pytest.approx(0.5 * weights[above].sum(), abs=1e-9)


@pytest.mark.parametrize("hole", [0.0, -1.0, np.nan])
def test_holes_of_the_truth_make_no_edges(hole: float) -> None:
    """However they are marked; unmasked, a hole of 0 is nearer than everything."""
    truth, predicted = patches(0), patches(0)
    truth[5:9, 5:9] = hole
    assert boundary_f1(predicted, truth) == pytest.approx(1)
    if hole == 0:
        assert boundary_f1(predicted, truth, masked=False) < 1


def test_truth_without_edges_has_no_score() -> None:
    """NaN, to be left out of means; the published code says 0."""
    flat = np.full((13, 17), 3.0)
    assert math.isnan(boundary_f1(patches(0), flat))
    assert boundary_f1(patches(0), flat, masked=False) == 0
    assert math.isnan(boundary_recall(patches(0), flat > 5))
    assert boundary_recall(patches(0), flat > 5, masked=False) == 0


def test_a_mask_needs_masked() -> None:
    everywhere = np.ones((13, 17), bool)
    with pytest.raises(InputError, match="masked=False"):
        boundary_f1(patches(0), patches(1), everywhere, masked=False)
    with pytest.raises(InputError, match="masked=False"):
        boundary_recall(patches(0), everywhere, everywhere, masked=False)


@pytest.mark.slow
def test_three_megapixels_within_a_second() -> None:
    truth = np.kron(patches(0, 48, 64), np.ones((32, 32)))
    predicted = truth * np.kron(patches(1, 384, 512), np.ones((4, 4)))
    begin = time.process_time()
    boundary_f1(predicted, truth)
    between = time.process_time()
    boundary_recall(predicted, truth > 2)
    assert between - begin < 1
    assert time.process_time() - between < 1


@pytest.mark.parametrize("scale", [1.0, 7.0, 0.01])
def test_perfect_up_to_scale(scale: float) -> None:
    assert boundary_f1(scale * patches(0), patches(0)) == pytest.approx(1)


def test_constant_prediction_has_no_edges() -> None:
    assert boundary_f1(np.full((13, 17), 3.0), patches(0)) == 0
    assert boundary_recall(np.full((13, 17), 3.0), patches(0) > 2) == 0


def test_one_edge_has_one_direction() -> None:
    """Near on the left: of four directions only `left` has edges, so P = R = 1/4 and F1 = 1/4, as published."""
    depth = np.ones((6, 8))
    depth[:, 4:] = 2
    assert boundary_f1(depth, depth) == pytest.approx(0.25)


def test_edge_strength_meets_some_thresholds() -> None:
    """A predicted step of 1.15 is above 5 of 10 thresholds (1.05 + k / 45 < 1.15 for k = 0..4)."""
    truth, predicted = np.ones((6, 8)), np.ones((6, 8))
    truth[:, 4:], predicted[:, 4:] = 2, 1.15
    expected = 0.25 * sum(THRESHOLDS[:5]) / sum(THRESHOLDS)
    assert boundary_f1(predicted, truth) == pytest.approx(expected)


def test_sky_is_behind_everything_and_has_no_edges_of_its_own() -> None:
    truth = np.full((6, 8), np.inf)
    truth[2:4, 2:5] = 50.0
    assert boundary_f1(truth, truth) == pytest.approx(1)
    assert boundary_f1(np.where(np.isinf(truth), 1e4, truth), truth) == pytest.approx(1)
    assert boundary_f1(np.full((6, 8), np.inf), truth) == 0


def test_unknown_truth_does_not_count() -> None:
    """Whatever the prediction has there, and whatever edges it has around it."""
    truth, predicted = patches(0), patches(0)
    truth[5, 5:9] = np.nan
    predicted[5, 6] = 1e3
    assert boundary_f1(predicted, truth) == pytest.approx(1)


def test_holes_of_the_prediction_miss_edges() -> None:
    predicted = patches(0)
    predicted[:, ::4] = np.nan
    assert 0 < boundary_f1(predicted, patches(0)) < 1


def test_thick_edges_get_no_credit() -> None:
    """Depths 0.5, 1, 1.3, 1.7, 2.3: of one run the first pair is strongest, so an outline elsewhere is missed."""
    depth = np.tile([0.5, 1.0, 1.3, 1.7, 2.3], (5, 1))
    on_first, on_third = np.zeros((2, 5, 5), bool)
    on_first[:, :1] = True
    on_third[:, :3] = True
    assert boundary_recall(depth, on_first) == pytest.approx(0.25)
    assert boundary_recall(depth, on_third) == 0


def test_thinning_keeps_the_first_of_equals_and_separates_rows() -> None:
    hits = np.array([[1, 1, 0, 1], [1, 1, 1, 0]], bool)
    strength = np.array([[2.0, 2.0, 9.0, 3.0], [4.0, 5.0, 5.0, 9.0]])
    assert thinned(hits, strength).astype(int).tolist() == [[1, 0, 0, 1], [0, 1, 0, 0]]


def test_opacity_above_a_tenth_is_foreground() -> None:
    mask = patches(3) > 2
    alpha = np.where(mask, 0.11, 0.1)
    assert boundary_recall(patches(0), alpha) == boundary_recall(patches(0), mask)


def test_bytes_are_no_opacity() -> None:
    with pytest.raises(InputError, match="divide 8-bit masks by 255"):
        boundary_recall(patches(0), np.zeros((13, 17), np.uint8))


def test_shapes_must_agree() -> None:
    with pytest.raises(InputError, match="expected one"):
        boundary_f1(patches(0)[1:], patches(0))
    with pytest.raises(InputError, match="expected one"):
        boundary_f1(patches(0), patches(0), np.ones((3, 3), bool))
