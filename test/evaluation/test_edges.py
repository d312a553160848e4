# SPDX-License-Identifier: Apache-2.0
"""Depth boundary errors of edges in known places."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.edges import boundary_errors, canny, depth_edges

ROWS = slice(1, -1)  # the border has no edges


def step_at(column: int) -> np.ndarray:
    """A step whose one middle column is its edge."""
    depth = np.full((30, 60), 1.0)
    depth[:, column], depth[:, column + 1 :] = 2.0, 3.0
    return depth


def edge_at(*columns: int) -> np.ndarray:
    edges = np.zeros((30, 60), bool)
    edges[ROWS, columns] = True
    return edges


def test_a_step_is_one_column_of_edges() -> None:
    assert (depth_edges(step_at(20)) == edge_at(20)).all()


@pytest.mark.parametrize("scale", [0.01, 1.0, 50.0])
@pytest.mark.parametrize("shift", [0, 3, 9])
def test_shifted_edge(shift: int, scale: float) -> None:
    errors = boundary_errors(scale * step_at(20), edge_at(20 + shift))
    assert (errors.accuracy_px, errors.completeness_px) == (shift, shift)
    assert (errors.predicted, errors.true) == (28, 28)


def test_edges_ten_pixels_off_are_no_match() -> None:
    errors = boundary_errors(step_at(20), edge_at(30))
    assert (errors.accuracy_px, errors.completeness_px) == (10, 10)


def test_one_far_edge_outweighs_completeness_unless_truncated() -> None:
    """True edges 0 and 30 px from the predicted one: (0 + 30) / 2, or (0 + 10) / 2; accuracy sees only the near one."""
    errors = boundary_errors(step_at(20), edge_at(20, 50))
    assert (errors.accuracy_px, errors.completeness_px) == (0, 15)
    assert boundary_errors(step_at(20), edge_at(20, 50), truncate=True).completeness_px == 5


def test_nothing_predicted_and_nothing_there() -> None:
    flat = boundary_errors(np.full((30, 60), 2.0), edge_at(20))
    assert (flat.accuracy_px, flat.completeness_px, flat.predicted) == (10, 10, 0)
    assert boundary_errors(np.full((30, 60), np.nan), edge_at(20)).accuracy_px == 10
    assert math.isnan(boundary_errors(step_at(20), edge_at()).accuracy_px)


def test_sky_is_as_far_as_the_farthest() -> None:
    depth = step_at(20)
    depth[:, 40:] = np.inf
    assert (depth_edges(depth) == edge_at(20)).all()


@pytest.mark.parametrize("seed", range(5))
def test_canny_agrees_with_scikit_image(seed: int) -> None:
    feature = pytest.importorskip("skimage.feature")
    rng = np.random.default_rng(seed)
    image = np.kron(rng.random((6, 8)), np.ones((9, 7))) + rng.normal(0, 0.02, (54, 56))
    expected = feature.canny(image, sigma=math.sqrt(2), low_threshold=0.1, high_threshold=0.2)
    assert expected.sum() > 100
    assert (canny(image, math.sqrt(2), 0.1, 0.2) == expected).all()


def test_shapes_must_agree() -> None:
    with pytest.raises(InputError, match="shape"):
        boundary_errors(step_at(20)[1:], edge_at(20))
