# SPDX-License-Identifier: Apache-2.0
"""Optical-flow-based warping error, OPW (Wang et al. 2023, NVDS), with OpenCV's DIS flow (Kroeger et al. 2016)."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.masks import FloatMap, check_maps, usable

Flow = NDArray[np.float32]
Image = NDArray[np.uint8]

MIN_SIZE_PX = 16
SHARPNESS = 50.0


def dis_flow(source: Image, target: Image) -> Flow:
    """Where each pixel of the source is in the target: float32 [H, W, 2], (dx, dy) in pixels.

    Args:
        source, target: uint8 [H, W, 3] RGB.

    Raises:
        InputError: the shapes differ, or are too small to look for motion in.
    """
    if source.shape != target.shape or source.ndim != 3 or min(source.shape[:2]) < MIN_SIZE_PX:
        raise InputError(
            f"images of shape {list(source.shape)} and {list(target.shape)}: expected one [H, W, 3] of at least "
            f"{MIN_SIZE_PX} pixels each way"
        )
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (source, target)]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(grey[0], grey[1], None)  # type: ignore[call-overload]
    return np.asarray(flow, np.float32)


def warped(values: NDArray[np.float32], flow: Flow) -> NDArray[np.float32]:
    """Values [H, W] or [H, W, C] of the target, seen from the source: bilinear; NaN from outside, and beside NaN."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(  # type: ignore[return-value]
        values,
        x + flow[..., 0],
        y + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(math.nan,) * 4,
    )


def warping_error(
    before: FloatMap, after: FloatMap, rgb_before: Image, rgb_after: Image, flow: Flow | None = None
) -> float:
    """OPW of two consecutive frames: mean of |D_w - D| sum_c exp(-50 (I_w - I)^2).

    D_w and I_w are the earlier depth and colour (0 to 1) where the flow finds them; both depths are normalised first,
    (D - median) / mean |D - median|. Published figures are 10 times this. Pixels without a depth are left out.

    Args:
        before, after: [H, W] predictions, any unit.
        rgb_before, rgb_after: uint8 [H, W, 3].
        flow: from the later frame to the earlier one; None asks `dis_flow`.

    Returns:
        0 for depth that moves with the image; NaN if there is no pixel to compare.

    Raises:
        InputError: shapes differ, or are too small for the flow.
    """
    check_maps(before, after)
    if not before.shape == rgb_before.shape[:2] == rgb_after.shape[:2]:
        raise InputError(f"images of shape {list(rgb_before.shape)} for depth of {list(before.shape)}: resize one")
    if flow is None:
        flow = dis_flow(rgb_after, rgb_before)
    colour_before, colour = (np.float32(image) / np.float32(255) for image in (rgb_before, rgb_after))
    change = np.abs(warped(_normalised(before), flow) - _normalised(after))
    weight = np.exp(-SHARPNESS * (warped(colour_before, flow) - colour) ** 2).sum(axis=2)
    errors = (change * weight)[np.isfinite(change) & np.isfinite(weight)]
    return float(errors.mean(dtype=np.float64)) if len(errors) else math.nan


def _normalised(depth: FloatMap) -> NDArray[np.float32]:
    """Median 0 and mean absolute deviation 1; NaN without a depth."""
    known = usable(depth)
    if not known.any():
        return np.full(depth.shape, np.nan, np.float32)
    centred = np.where(known, depth, np.nan).astype(np.float64) - float(np.median(depth[known]))
    return (centred / (float(np.mean(np.abs(centred[known]))) or 1.0)).astype(np.float32)
