# SPDX-License-Identifier: Apache-2.0
"""What a prediction must be for its depth to be published: a broken model must not make a depth that looks right."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from depthpro_ros.errors import PredictionError
from depthpro_ros.models.estimator import Prediction

SAME_FOCAL = 1e-3
"""Relative difference that rounding may make."""


def check_prediction(prediction: Prediction, height: int, width: int, focal_px: float | None) -> None:
    """Refuse what no depth network says in its right mind.

    Metres must be finite and above 0 at every pixel. Depth up to scale may be NaN at some, and is not negative.

    Args:
        prediction: of one image.
        height, width: the image's.
        focal_px: what the network was given, or None where it had to estimate.

    Raises:
        PredictionError: another shape or dtype, or numbers that cannot be a depth or a focal length.
    """
    for name, depth in (("depth_m", prediction.depth_m), ("reference_m", prediction.reference_m)):
        if depth is not None:
            _check_form(name, depth, height, width)
            _check_metres(name, depth)
    if prediction.relative_depth is not None:
        _check_form("relative_depth", prediction.relative_depth, height, width)
        _check_relative(prediction.relative_depth)
    _check_focal(prediction, focal_px)


def _check_form(name: str, depth: Tensor, height: int, width: int) -> None:
    if depth.dtype != torch.float32 or tuple(depth.shape) != (height, width):
        raise PredictionError(
            f"the model's {name} is {depth.dtype} {list(depth.shape)}, expected torch.float32 [{height}, {width}]: "
            "it is not the depth of this image"
        )


def _check_metres(name: str, depth: Tensor) -> None:
    least, most = (float(bound) for bound in torch.stack(torch.aminmax(depth)).tolist())
    # NaN anywhere makes both NaN
    if least > 0 and math.isfinite(most):
        return
    good = int((torch.isfinite(depth) & (depth > 0)).sum())
    raise PredictionError(
        f"the model's {name} is finite and above 0 at {good} of {depth.numel()} pixels, expected all: its weights, "
        "its precision or the device is broken"
    )


def _check_relative(depth: Tensor) -> None:
    known = depth[~torch.isnan(depth)]
    if known.numel():
        least, most = (float(bound) for bound in torch.stack(torch.aminmax(known)).tolist())
        if least >= 0 and 0 < most < math.inf:
            return
    raise PredictionError(
        f"the model's relative_depth has {known.numel()} numbers in {depth.numel()} pixels, and they are not all "
        "finite, at least 0 and somewhere above it: its weights, its precision or the device is broken"
    )


def _check_focal(prediction: Prediction, given_px: float | None) -> None:
    focal_px = float(prediction.focal_px)
    if prediction.depth_m is None and math.isnan(focal_px):
        return
    if not (math.isfinite(focal_px) and focal_px > 0):
        raise PredictionError(
            f"the model's focal_px is {focal_px}, expected finite and above 0: its weights, its precision or the "
            "device is broken"
        )
    # metres are proportional to it
    if given_px is not None and abs(focal_px / given_px - 1) > SAME_FOCAL:
        raise PredictionError(f"the model used a focal length of {focal_px} px, it was given {given_px} px")
