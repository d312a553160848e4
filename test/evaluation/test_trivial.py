# SPDX-License-Identifier: Apache-2.0
"""The trivial predictors on scenes whose averages are known."""

from __future__ import annotations

import pytest
import torch

from depthpro_ros.evaluation.trivial import FAR_M, TrivialPredictors
from depthpro_ros.scenes import SceneBatch


def test_averages() -> None:
    depth = torch.stack([torch.full((4, 6), 2.0), torch.full((4, 6), 8.0), torch.full((4, 6), 4.0)])
    depth[:, 0, 0] = torch.inf
    zeros = torch.zeros(3)
    scenes = SceneBatch(
        torch.zeros(3, 4, 6, 3, dtype=torch.uint8), depth, zeros, torch.tensor([1.0, 2.0, 3.0]), zeros, zeros, zeros > 0
    )
    trivial = TrivialPredictors.fit(scenes)
    maps = trivial.predict(5.0)
    assert (maps["constant"] == 4.0).all()
    torch.testing.assert_close(maps["mean_map"][1:], torch.full((3, 6), 4.0))
    assert maps["mean_map"][0, 0] == pytest.approx(FAR_M)
    # z = h f / v for rows v below the centre of a level camera 2 m up
    assert maps["ground_plane"][:, 0].tolist() == pytest.approx([FAR_M, FAR_M, 2 * 5 / 0.5, 2 * 5 / 1.5])
