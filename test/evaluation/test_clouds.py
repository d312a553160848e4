# SPDX-License-Identifier: Apache-2.0
"""Cloud scores against all pairs of points, and shifted planes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.clouds import back_project, score_clouds, subsampled

CAMERA = Intrinsics(32, 24, 30.0, 31.0, 15.0, 12.5)
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def clouds(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (40, 3)), rng.uniform(-1, 1, (30, 3))


@few
@given(seed=seeds)
def test_all_pairs(seed: int) -> None:
    a, b = clouds(seed)
    apart = [[math.dist(p, q) for q in b] for p in a]
    to_b = [min(row) for row in apart]
    to_a = [min(column) for column in zip(*apart, strict=True)]
    scores = score_clouds(a, b, (0.25,), (0.2,))
    assert scores.chamfer_m == pytest.approx((np.mean(to_b) + np.mean(to_a)) / 2)
    metres, share = scores.f_scores
    assert metres.precision == pytest.approx(np.mean([d < 0.25 for d in to_b]))
    assert metres.recall == pytest.approx(np.mean([d < 0.25 for d in to_a]))
    origin = (0, 0, 0)
    nearest = [b[row.index(min(row))] for row in apart]
    assert share.precision == pytest.approx(
        np.mean([d < 0.2 * math.dist(q, origin) for d, q in zip(to_b, nearest, strict=True)])
    )
    assert share.recall == pytest.approx(
        np.mean([d < 0.2 * math.dist(q, origin) for d, q in zip(to_a, b, strict=True)])
    )


def test_back_projection_and_projection_are_inverse() -> None:
    depth = np.random.default_rng(0).uniform(1, 9, (24, 32))
    points = back_project(depth, CAMERA)
    image = points @ CAMERA.matrix.T
    v, u = np.mgrid[0:24, 0:32]
    np.testing.assert_allclose(image[:, :2] / image[:, 2:], np.stack([u.ravel(), v.ravel()], axis=1), atol=1e-9)
    np.testing.assert_array_equal(points[:, 2], depth.ravel())


def test_holes_and_masked_pixels_are_no_points() -> None:
    depth = np.full((24, 32), 2.0)
    depth[0, :4] = [np.nan, np.inf, 0, -1]
    mask = np.ones(depth.shape, bool)
    mask[1] = False
    assert len(back_project(depth, CAMERA)) == 24 * 32 - 4
    assert len(back_project(depth, CAMERA, mask)) == 23 * 32 - 4


def test_a_plane_8_cm_too_far() -> None:
    """Points 0.2 m apart, 6 to 7.2 m away: all within 0.1 m and 5 % of that, none within 5 cm or 1 %."""
    truth = back_project(np.full((24, 32), 6.0), CAMERA)
    scores = score_clouds(truth + [0, 0, 0.08], truth)
    assert scores.chamfer_m == pytest.approx(0.08)
    assert [(f.threshold, f.relative, f.f1) for f in scores.f_scores] == [
        (0.05, False, 0.0),
        (0.1, False, 1.0),
        (0.25, False, 1.0),
        (0.01, True, 0.0),
        (0.05, True, 1.0),
    ]


def test_missing_points_cost_recall() -> None:
    """With every second column missing, those true points are 0.2 m from a predicted one."""
    depth = np.full((24, 32), 6.0)
    holes = depth.copy()
    holes[:, ::2] = np.nan
    score = score_clouds(back_project(holes, CAMERA), back_project(depth, CAMERA), (0.1,), ()).f_scores[0]
    assert (score.precision, score.recall, score.f1) == (1, 0.5, pytest.approx(2 / 3))


@few
@given(seed=seeds, scale=st.floats(0.01, 100))
def test_swap_and_scale(seed: int, scale: float) -> None:
    a, b = clouds(seed)
    there, back, larger = score_clouds(a, b), score_clouds(b, a), score_clouds(scale * a, scale * b)
    assert back.chamfer_m == pytest.approx(there.chamfer_m)
    assert [f.f1 for f in back.f_scores[:3]] == pytest.approx([f.f1 for f in there.f_scores[:3]])
    assert larger.chamfer_m == pytest.approx(scale * there.chamfer_m)


def test_subsample_is_the_same_every_time_and_keeps_the_ends() -> None:
    points = np.arange(300.0).reshape(100, 3)
    assert subsampled(points, 7).tolist() == subsampled(points, 7).tolist()
    assert subsampled(points, 7)[[0, -1]].tolist() == points[[0, -1]].tolist()
    assert len(np.unique(subsampled(points, 99), axis=0)) == 99
    assert subsampled(points, 100) is points
    assert score_clouds(points, points, max_points=10).predicted == 10


def test_empty_clouds() -> None:
    points, none = np.ones((5, 3)), np.zeros((0, 3))
    nothing_predicted = score_clouds(none, points)
    assert nothing_predicted.chamfer_m == math.inf
    assert all(f.f1 == 0 for f in nothing_predicted.f_scores)
    assert math.isnan(score_clouds(points, none).chamfer_m)


def test_wrong_shape() -> None:
    with pytest.raises(InputError, match=r"\[N, 3\]"):
        score_clouds(np.ones((4, 2)), np.ones((4, 3)))


def test_without_scipy_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("depthpro_ros.evaluation.optional.importlib.import_module", refuse)
    with pytest.raises(InputError, match="evaluate"):
        score_clouds(np.ones((4, 3)), np.ones((4, 3)))
