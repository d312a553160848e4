# SPDX-License-Identifier: Apache-2.0
"""How good a model in training is, on images that it does not train on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from depthpro_ros.models.depth_pro.network import focal_from_fov
from depthpro_ros.training.data.batch import Batch
from depthpro_ros.training.trainees import StageLoss, at_size_of
from depthpro_ros.visualise import RgbImage, colour_depth, side_by_side

NEAREST_SKY = 0.0125
"""Canonical inverse depth of 80 m seen with a focal length of one image width: figures count what is nearer."""
_PICTURES = 6


def depth_figures(predicted: Tensor, target: Tensor, valid: Tensor) -> dict[str, Tensor]:
    """delta1 and abs_rel, metric and after median scale, each [B], NaN for images without depth.

    Given the true focal length, depth is a constant over C, so ratios of C are ratios of metres.

    Args:
        predicted, target: canonical inverse depth [B, S, S].
        valid: bool [B, S, S].
    """
    known = valid & (target >= NEAREST_SKY)
    seen, true = (
        torch.where(known, 1 / c, torch.nan).flatten(1) for c in (predicted.clamp(min=0.1 * NEAREST_SKY), target)
    )
    ratio = seen / true
    scale = true.nanmedian(1).values / seen.nanmedian(1).values
    near = torch.maximum(ratio, 1 / ratio) < 1.25
    return {
        "delta1": near.float().sum(1) / known.flatten(1).sum(1),
        "abs_rel": torch.nanmean((ratio - 1).abs(), 1),
        "abs_rel_scaled": torch.nanmean((ratio * scale[:, None] - 1).abs(), 1),
    }


def fov_figures(predicted_deg: Tensor, true_deg: Tensor) -> dict[str, Tensor]:
    """The angle's squared error, and whether the focal length is within 25 % and 50 %, each [B]."""
    # lengths relative to the image's width: of their ratio it does not matter which
    focal, true_focal = focal_from_fov(torch.stack([predicted_deg.clamp(1, 179), true_deg]), 1)
    error = (focal - true_focal).abs() / true_focal
    return {
        "fov_squared_error_deg2": (predicted_deg - true_deg).square(),
        "focal_within_25": (error < 0.25).float(),
        "focal_within_50": (error < 0.50).float(),
    }


@torch.no_grad()
def validate(model: nn.Module, batches: Sequence[Batch], loss: StageLoss) -> tuple[dict[str, float], RgbImage | None]:
    """Means over all images, among them `loss` (lower is better), and a picture of the first few.

    Args:
        model: a trainee, or its running mean.
        batches: of the trainee's size.
        loss: the stage's.
    """
    was_training = model.training
    model.eval()
    rows: dict[str, list[Tensor]] = {}
    losses = []
    picture = None
    for batch in batches:
        predicted = at_size_of(batch.canonical, model(batch.rgb))
        losses.append((float(loss(predicted, batch)[0]), len(batch.rgb)))
        if predicted.ndim == 1:
            figures = fov_figures(predicted, batch.fov_deg)
        else:
            figures = depth_figures(predicted, batch.canonical, batch.valid)
            if picture is None:
                picture = _picture(batch, predicted)
        for name, values in figures.items():
            rows.setdefault(name, []).append(values.cpu())
    model.train(was_training)
    total = sum(count for _, count in losses)
    result = {"loss": sum(value * count for value, count in losses) / total}
    result |= {name: float(torch.cat(values).nanmean()) for name, values in rows.items()}
    if "fov_squared_error_deg2" in result:
        result["fov_rmse_deg"] = result.pop("fov_squared_error_deg2") ** 0.5
    return result, picture


def _picture(batch: Batch, predicted: Tensor) -> RgbImage:
    """Rows of image, true and predicted depth, all in the truth's colours."""
    rows = []
    for index in range(min(_PICTURES, len(predicted))):
        truth = torch.where(batch.valid[index], 1 / batch.canonical[index], torch.nan).cpu().numpy()
        seen = (1 / predicted[index].clamp(min=1e-4)).cpu().numpy()
        known = truth[np.isfinite(truth)]
        near, far = (float(v) for v in np.percentile(known, (2, 98))) if known.size else (1.0, 10.0)
        far = max(far, 1.05 * near)
        rgb = batch.rgb[index].cpu().numpy()
        rows.append(side_by_side([rgb, colour_depth(truth, near, far), colour_depth(seen, near, far)]))
    return np.concatenate(rows)
