# SPDX-License-Identifier: Apache-2.0
"""Alignments against the maps they must recover, independent solvers, and their guards."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.alignment import Alignment, AlignmentMode, PixelPool, fit_alignment, fit_alignments

SCALES = ("median_scale", "median_ratio", "weighted_median", "lsq_scale", "l1_scale")
ALL = tuple(mode for mode in get_args(AlignmentMode) if mode != "none")

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)
factors = st.floats(0.01, 100)


def maps(seed: int, shape: tuple[int, int] = (7, 9)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1, 20, shape)
    return truth * np.exp(rng.normal(0, 0.3, shape)), truth


@few
@given(seed=seeds, factor=factors)
@pytest.mark.parametrize("mode", ALL)
def test_every_mode_recovers_a_scale(mode: AlignmentMode, seed: int, factor: float) -> None:
    _, truth = maps(seed)
    np.testing.assert_allclose(fit_alignment(truth / factor, truth, mode).apply(truth / factor), truth, rtol=1e-8)


@few
@given(seed=seeds, scale=st.floats(0.05, 20), shift=st.floats(-0.9, 50))
def test_affine_depth_recovers_an_affine_map(seed: int, scale: float, shift: float) -> None:
    _, truth = maps(seed)
    predicted = (truth + shift) * scale
    alignment = fit_alignment(predicted, truth, "affine_depth")
    assert alignment.scale == pytest.approx(1 / scale, rel=1e-6)
    assert alignment.shift == pytest.approx(-shift, abs=1e-6)
    np.testing.assert_allclose(alignment.apply(predicted), truth, rtol=1e-6)


@few
@given(seed=seeds, scale=st.floats(0.05, 20), shift=st.floats(-0.04, 2))
def test_affine_disparity_recovers_an_affine_map_of_disparity(seed: int, scale: float, shift: float) -> None:
    _, truth = maps(seed)
    predicted = 1 / ((1 / truth + shift) * scale)
    np.testing.assert_allclose(fit_alignment(predicted, truth, "affine_disparity").apply(predicted), truth, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_closed_forms(seed: int) -> None:
    p, d = maps(seed)
    assert fit_alignment(p, d, "median_scale").scale == pytest.approx(np.median(d) / np.median(p))
    assert fit_alignment(p, d, "median_ratio").scale == pytest.approx(np.median(d / p))
    assert fit_alignment(p, d, "lsq_scale").scale == pytest.approx(np.linalg.lstsq(p.reshape(-1, 1), d.ravel())[0][0])
    scale, shift = np.polyfit(p.ravel(), d.ravel(), 1)
    affine = fit_alignment(p, d, "affine_depth")
    assert (affine.scale, affine.shift) == (pytest.approx(scale), pytest.approx(shift))
    scale, shift = np.polyfit(1 / p.ravel(), 1 / d.ravel(), 1)
    affine = fit_alignment(p, d, "affine_disparity")
    assert (affine.scale, affine.shift) == (pytest.approx(scale), pytest.approx(shift))


@few
@given(seed=seeds)
def test_l1_scale_is_exact(seed: int) -> None:
    """The sum of |s p - d| / d is least at one of its kinks, the ratios d / p: try them all."""
    p, d = (x.ravel() for x in maps(seed, (3, 5)))

    def loss(scale: float) -> float:
        return float(np.sum(np.abs(scale * p - d) / d))

    fitted = fit_alignment(p[None], d[None], "l1_scale").scale
    assert loss(fitted) == pytest.approx(min(loss(s) for s in d / p), rel=1e-12)


@few
@given(seed=seeds)
@pytest.mark.parametrize("mode", ["weighted_median", "median_ratio"])
def test_both_medians_minimise_what_they_are_said_to(mode: AlignmentMode, seed: int) -> None:
    """sum |s p - d|, and sum |s - d / p|: each is least at one of the ratios d / p, so try them all."""
    p, d = (x.ravel() for x in maps(seed, (3, 5)))

    def loss(scale: float) -> float:
        return float(np.sum(np.abs(scale * p - d) / (p if mode == "median_ratio" else 1)))

    fitted = fit_alignment(p[None], d[None], mode).scale
    assert loss(fitted) == pytest.approx(min(loss(s) for s in d / p), rel=1e-12)


@few
@given(seed=seeds, factor=factors)
@pytest.mark.parametrize("mode", ALL)
def test_the_prediction_s_unit_does_not_matter(mode: AlignmentMode, seed: int, factor: float) -> None:
    p, d = maps(seed)
    aligned, again = (fit_alignment(k * p, d, mode).apply(k * p) for k in (1.0, factor))
    np.testing.assert_allclose(aligned, again, rtol=1e-6)


@few
@given(seed=seeds)
@pytest.mark.parametrize("mode", SCALES)
def test_aligning_twice_changes_nothing(mode: AlignmentMode, seed: int) -> None:
    p, d = maps(seed)
    aligned = fit_alignment(p, d, mode).apply(p)
    assert fit_alignment(aligned, d, mode).scale == pytest.approx(1)


@pytest.mark.parametrize("mode", ["affine_depth", "affine_disparity"])
def test_affine_alignment_twice_changes_nothing(mode: AlignmentMode) -> None:
    """Where nothing leaves the range of the truth, which the first fit would cut off."""
    _, d = maps(0)
    p = d * np.random.default_rng(1).uniform(0.99, 1.01, d.shape)
    d.flat[:2], p.flat[:2] = [0.6, 60.0], [1.2, 15.0]
    first = fit_alignment(p, d, mode)
    aligned = first.apply(p)
    again = fit_alignment(aligned, d, mode)
    assert (again.scale, again.shift) == (pytest.approx(1), pytest.approx(0, abs=1e-9))


def test_affine_maps_do_not_cross_zero() -> None:
    truth = np.linspace(1, 10, 20)[None]
    depth = Alignment("affine_depth", "affine_depth", 1.0, -5.0, nearest_m=1.0, farthest_m=10.0)
    assert depth.apply(truth).min() == 1
    disparity = Alignment("affine_disparity", "affine_disparity", 1.0, -0.5, nearest_m=1.0, farthest_m=10.0)
    assert disparity.apply(truth).max() == pytest.approx(10)
    assert (disparity.apply(truth) > 0).all()


def test_invalid_pixels_are_left_out_and_stay_invalid() -> None:
    p, d = maps(0)
    clean = fit_alignment(p[1:], d[1:], "affine_depth")
    p[0] = [math.nan, math.inf, 0, -1, math.nan, math.inf, 0, -1, 0]
    alignment = fit_alignment(p, d, "affine_depth")
    assert alignment == clean
    assert np.isnan(alignment.apply(p)[0]).all()


@pytest.mark.parametrize("mode", ALL)
def test_few_pixels_are_not_aligned(mode: AlignmentMode) -> None:
    p, d = maps(0, (3, 3))
    alignment = fit_alignment(p, d, mode)
    assert (alignment.mode, alignment.scale, alignment.flag, alignment.pixels) == ("none", 1, "few_pixels", 9)


@pytest.mark.parametrize("mode", ["affine_depth", "affine_disparity"])
def test_constant_prediction_gets_the_median_scale(mode: AlignmentMode) -> None:
    _, d = maps(0)
    alignment = fit_alignment(np.full_like(d, 0.1), d, mode)
    assert (alignment.mode, alignment.flag, alignment.shift) == ("median_scale", "constant_prediction", 0)
    assert alignment.scale == pytest.approx(np.median(d) / 0.1)


@pytest.mark.parametrize("mode", ["affine_depth", "affine_disparity"])
def test_inverted_prediction_gets_the_median_scale(mode: AlignmentMode) -> None:
    _, d = maps(0)
    alignment = fit_alignment(1 / d, d, mode)
    assert (alignment.asked, alignment.mode, alignment.flag) == (mode, "median_scale", "negative_scale")


def test_scopes() -> None:
    """Two sequences at scales 1/2, 1/2 and 1/8: per image and sequence exact, over all the median ratio of pixels."""
    _, d = maps(0)
    images = [(d / 2, d, None), (d / 2, d, None), (d / 8, d, None)]
    names = ["a", "a", "b"]

    def scales(scope: str) -> list[float]:
        return [x.scale for x in fit_alignments(images, names, "median_ratio", scope)]  # type: ignore[arg-type]

    assert scales("image") == pytest.approx([2, 2, 8])
    assert scales("sequence") == pytest.approx([2, 2, 8])
    assert scales("dataset") == pytest.approx([2, 2, 2])
    assert [x.pixels for x in fit_alignments(images, names, "median_ratio", "sequence")] == [126, 126, 63]


def test_sequence_fit_is_the_fit_of_one_tall_image() -> None:
    (p1, d1), (p2, d2) = maps(1), maps(2)
    mask = np.random.default_rng(0).random(d1.shape) > 0.5
    pooled = fit_alignments([(p1, d1, mask), (p2, d2, None)], [0, 0], "affine_depth", "sequence")
    tall = fit_alignment(
        np.vstack([p1, p2]), np.vstack([d1, d2]), "affine_depth", np.vstack([mask, np.ones_like(mask)])
    )
    assert pooled == [tall, tall]


def test_pool_of_many_images_stays_small() -> None:
    p, d = maps(0)
    pool = PixelPool(max_pixels_per_image=20)
    for _ in range(3):
        pool.add(p, d)
    assert pool.fit("median_scale").pixels == 60


def test_empty_pool() -> None:
    assert PixelPool().fit("lsq_scale").flag == "few_pixels"
    assert PixelPool().fit("none") == Alignment()


def test_wrong_input() -> None:
    p, d = maps(0)
    with pytest.raises(InputError, match="use one of"):
        fit_alignment(p, d, "mean")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="use one of"):
        fit_alignments([], [], "none", "video")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected one for each"):
        fit_alignments([(p, d, None)], [], "none", "image")
    with pytest.raises(InputError, match="shape"):
        fit_alignment(p[1:], d, "none")
