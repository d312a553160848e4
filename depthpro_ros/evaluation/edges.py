# SPDX-License-Identifier: Apache-2.0
"""Depth boundary errors of iBims-1 (Koch et al. 2018): how many pixels depth edges are from where they should be."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.evaluation.masks import BoolMap, FloatMap, check_maps, usable
from depthpro_ros.evaluation.optional import scipy_module

SIGMA_PX = math.sqrt(2)
LOW, HIGH = 0.1, 0.2
"""Gradients, as Sobel filters without normalisation give them, of depth that spans 0 to 1."""

MAX_DISTANCE_PX = 10.0


@dataclass(frozen=True)
class BoundaryErrors:
    """Scores of one image; NaN where the ground truth has no edge.

    Attributes:
        accuracy_px: mean distance of predicted edges to the nearest true one, of those less than 10 px from it.
        completeness_px: mean distance of true edges to the nearest predicted one.
        predicted, true: how many edge pixels there are.

    Both are 10 px where no predicted edge is less than 10 px from a true one.
    """

    accuracy_px: float
    completeness_px: float
    predicted: int
    true: int


def boundary_errors(predicted: FloatMap, truth_edges: BoolMap, *, truncate: bool = False) -> BoundaryErrors:
    """Score one image.

    Args:
        predicted: [H, W] depth in any unit.
        truth_edges: bool [H, W], as the data set has them, or `depth_edges` of a ground truth without holes.
        truncate: count no distance beyond 10 px in the completeness, as later code does; the data set's own script
            lets one lone edge far from all others outweigh an image.

    Raises:
        InputError: the shapes differ, or SciPy is not installed.
    """
    check_maps(predicted, truth_edges)
    edges = depth_edges(predicted)
    counts = int(np.count_nonzero(edges)), int(np.count_nonzero(truth_edges))
    if not counts[1]:
        return BoundaryErrors(math.nan, math.nan, *counts)
    distance = scipy_module("ndimage").distance_transform_edt
    to_truth = distance(~truth_edges)[edges]
    close = to_truth[to_truth < MAX_DISTANCE_PX]
    if not len(close):
        return BoundaryErrors(MAX_DISTANCE_PX, MAX_DISTANCE_PX, *counts)
    to_predicted = distance(~edges)[truth_edges]
    if truncate:
        to_predicted = np.minimum(to_predicted, MAX_DISTANCE_PX)
    return BoundaryErrors(float(close.mean()), float(to_predicted.mean()), *counts)


def depth_edges(depth: FloatMap) -> BoolMap:
    """Edges of a depth map [H, W] that is stretched to 0 to 1 first; +inf is as far as the farthest, holes are 0."""
    known = usable(depth)
    if not known.any():
        return np.zeros(depth.shape, np.bool_)
    low, high = float(depth[known].min()), float(depth[known].max())
    filled = np.where(known, depth, np.where(np.isposinf(depth), high, low)).astype(np.float64)
    return canny((filled - low) / ((high - low) or 1.0), SIGMA_PX, LOW, HIGH)


def canny(image: NDArray[np.float64], sigma_px: float, low: float, high: float) -> BoolMap:
    """Edges one pixel wide (Canny 1986): Gaussian, Sobel, the greatest along the gradient, hysteresis.

    The border has no edges. Next to it, the Gaussian weighs only what is inside the image.
    """
    ndimage = scipy_module("ndimage")
    inside = ndimage.gaussian_filter(np.ones_like(image), sigma_px, mode="constant")
    smooth = ndimage.gaussian_filter(image, sigma_px, mode="constant") / (inside + np.finfo(np.float64).eps)
    down, right = ndimage.sobel(smooth, axis=0), ndimage.sobel(smooth, axis=1)
    thin = _ridges(down, right, low)
    regions, count = ndimage.label(thin > 0, np.ones((3, 3)))
    strong = np.zeros(count + 1, np.bool_)
    strong[regions[thin >= high]] = True
    strong[0] = False
    return strong[regions]


def _ridges(down: NDArray[np.float64], right: NDArray[np.float64], low: float) -> NDArray[np.float64]:
    """Length of the gradient where it is at least `low` and no less than before and behind along it; else 0."""
    length = np.hypot(down, right)
    candidates = length >= low
    candidates[[0, -1]] = False
    candidates[:, [0, -1]] = False
    y, x = np.nonzero(candidates)
    gy, gx = down[y, x], right[y, x]
    steep = np.abs(gy) > np.abs(gx)
    sy, sx = np.where(gy < 0, -1, 1), np.where(gx < 0, -1, 1)
    # between the neighbour along the longer component and the diagonal one
    with np.errstate(invalid="ignore"):
        diagonal = np.minimum(np.abs(gy), np.abs(gx)) / np.maximum(np.abs(gy), np.abs(gx))
    highest = np.ones(len(y), np.bool_)
    for way in (1, -1):
        straight = length[y + way * np.where(steep, sy, 0), x + way * np.where(steep, 0, sx)]
        there = (1 - diagonal) * straight + diagonal * length[y + way * sy, x + way * sx]
        highest &= there <= length[y, x]
    ridges = np.zeros_like(length)
    ridges[y[highest], x[highest]] = length[y[highest], x[highest]]
    return ridges
