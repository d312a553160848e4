# SPDX-License-Identifier: Apache-2.0
"""The trivial predictors on scenes whose averages are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from depthpro_ros.evaluation.trivial import FAR_M, TrivialPredictors

HEIGHT, WIDTH = 4, 6


@pytest.fixture
def trivial() -> TrivialPredictors:
    """Three flat scenes at 2, 8 and 4 m, with one pixel of sky, and one that nobody knows."""
    depth = torch.tensor([2.0, 8.0, 4.0])[:, None, None].repeat(1, HEIGHT, WIDTH)
    depth[:, 0, 0] = torch.inf
    depth[:, 0, 1] = torch.nan
    depth[0, 3, 5] = torch.nan
    return TrivialPredictors.fit(depth, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([60.0, 90.0, 100.0]))


def test_constant_is_the_median_depth(trivial: TrivialPredictors) -> None:
    assert (trivial.predict(5.0, HEIGHT, WIDTH)["constant"] == 4.0).all()


def test_mean_map_is_the_mean_of_log_depth_where_it_is_known(trivial: TrivialPredictors) -> None:
    mean = trivial.predict(5.0, HEIGHT, WIDTH)["mean_map"]
    np.testing.assert_allclose(mean[1:3], 4.0, rtol=1e-5)
    assert mean[0, 0] == pytest.approx(FAR_M)
    assert mean[0, 1] == pytest.approx(4.0)
    assert mean[3, 5] == pytest.approx(np.sqrt(8 * 4))


def test_ground_plane(trivial: TrivialPredictors) -> None:
    """z = h f / v for rows v below the centre of a level camera 2 m up."""
    plane = trivial.predict(5.0, HEIGHT, WIDTH)["ground_plane"]
    assert plane[:, 0].tolist() == pytest.approx([FAR_M, FAR_M, 2 * 5 / 0.5, 2 * 5 / 1.5])


def test_images_may_have_any_size(trivial: TrivialPredictors) -> None:
    maps = trivial.predict(50.0, 30, 50)
    assert {m.shape for m in maps.values()} == {(30, 50)}
    assert {m.dtype for m in maps.values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(maps["mean_map"][12:18, 5:40], 4.0, rtol=1e-5)


def test_focal_is_that_of_the_median_field_of_view(trivial: TrivialPredictors) -> None:
    """90 degrees: as long as half of the image is wide."""
    assert trivial.focal_px(640) == pytest.approx(320)
