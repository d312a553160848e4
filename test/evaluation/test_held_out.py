# SPDX-License-Identifier: Apache-2.0
"""Scoring of a model whose scores are known beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from depthpro_ros.evaluation.held_out import evaluate, held_out_frames, score
from depthpro_ros.evaluation.trivial import TrivialPredictors
from depthpro_ros.frames import RgbdFrame
from depthpro_ros.models.estimator import EstimatorInfo, Focal, Prediction, Rgb
from depthpro_ros.scenes import render_scenes

TRIVIAL = TrivialPredictors(4.0, 1.5, torch.zeros(3, 4), 90.0)


@dataclass(frozen=True)
class Oracle:
    """Knows depth by the image's first value, and believes in a focal length that is off by a factor."""

    depths_m: tuple[np.ndarray, ...]
    focal_px: float
    info: EstimatorInfo = field(default=EstimatorInfo("oracle", "", 0, "cpu", "float32"))

    def predict(self, rgb: Rgb, focal_px: Focal = None) -> Prediction:
        depth = torch.stack([torch.from_numpy(self.depths_m[int(image[0, 0, 0])]) for image in rgb])
        focal = torch.full((len(depth),), self.focal_px)
        return Prediction(depth, focal, torch.zeros(len(depth)))


def frames(count: int = 3) -> list[RgbdFrame]:
    rng = np.random.default_rng(0)
    depths = rng.uniform(1, 20, (count, 12, 16)).astype(np.float32)
    return [RgbdFrame(np.full((12, 16, 3), k, np.uint8), depth, 10.0) for k, depth in enumerate(depths)]


def test_depth_is_brought_to_the_true_focal_length() -> None:
    """Exact depth for a focal length of 25 px, where 10 is true: 10 / 25 of it is the truth."""
    truth = frames()
    oracle = Oracle(tuple(2.5 * frame.depth_m for frame in truth), 25.0)
    for image in score(oracle, TRIVIAL, truth):
        assert image.rows[0].delta1 == 1
        assert image.rows[0].abs_rel_metric == pytest.approx(0, abs=1e-6)
        assert image.rows[0].boundary_f1 == pytest.approx(1)
        assert (image.estimated_px, image.true_px) == (25.0, 10.0)
        assert image.trivial_px == pytest.approx(8.0)


def test_every_trivial_predictor_is_scored_on_the_same_image() -> None:
    """`constant` says 4 m everywhere: abs_rel of 4 m and 2 m is the mean of 0 and 1."""
    depth = np.full((12, 16), 4.0, np.float32)
    depth[:, 8:] = 2.0
    frame = RgbdFrame(np.zeros((12, 16, 3), np.uint8), depth, 10.0)
    (image,) = score(Oracle((depth,), 10.0), TRIVIAL, [frame])
    assert [row.predictor for row in image.rows] == ["oracle", "constant", "ground_plane", "mean_map"]
    assert image.rows[1].abs_rel_metric == pytest.approx(0.5)
    assert image.rows[1].delta1 == pytest.approx(0.5)


def test_held_out_frames_are_the_scenes_of_their_seeds() -> None:
    (together, kinds), *rest = held_out_frames(range(3))
    ((alone, kind),) = held_out_frames(range(2, 3))
    assert not rest
    assert len(together) == len(kinds) == 3
    assert kind == kinds[2:]
    np.testing.assert_array_equal(together[2].rgb, alone[0].rgb)


def test_glass_and_mirrors_have_no_truth() -> None:
    """The first of these seeds with a hole has one in its frame, and nowhere else."""
    for seed in range(40):
        scenes = render_scenes([seed], height=192, width=256)
        if not scenes.valid.all():
            break
    (((frame,), _),) = held_out_frames(range(seed, seed + 1))
    np.testing.assert_array_equal(np.isnan(frame.depth_m), ~scenes.valid[0].numpy())
    assert np.isnan(frame.depth_m).any()


def test_kinds_and_real_sets_are_compared_by_themselves() -> None:
    """A model that is the constant predictor is as good as it, and kinds add up to all scenes."""

    class Constant:
        info = EstimatorInfo("constant_model", "", 0, "cpu", "float32")

        def predict(self, rgb: Rgb, focal_px: Focal = None) -> Prediction:
            # exactly 4 m for the focal length that `evaluate` replaces is not known here, so estimate none
            return Prediction(torch.full(rgb.shape[:3], 4.0), torch.ones(len(rgb)), torch.ones(len(rgb)))

    class RealSet:
        name = "real"

        def __len__(self) -> int:
            return 2

        def frame(self, index: int) -> RgbdFrame:
            return frames()[index]

    result = evaluate(Constant(), range(3), [RealSet()], TRIVIAL)
    assert result.scenes.images == sum(kind.images for kind in result.kinds) == 3
    assert [(real.name, real.images) for real in result.real] == [("real", 2)]
    # a constant stays one when it is scaled, so nothing is left of the difference after median scale
    assert result.scenes.model.abs_rel == pytest.approx(result.scenes.trivial[0].abs_rel)
    assert len(result.focal.relative_errors) == 3
