# SPDX-License-Identifier: Apache-2.0
"""Which pixels count: depth caps and the crops of published protocols, named so that a result can say them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError

FloatMap = NDArray[np.floating]
BoolMap = NDArray[np.bool_]
Window = tuple[slice, slice]
CropName = Literal["none", "garg", "eigen_kitti", "eigen_nyu", "border8"]


@dataclass(frozen=True)
class DepthMask:
    """Where a ground truth counts.

    Attributes:
        min_depth_m, max_depth_m: it counts within ]min, max]; an infinite maximum still leaves out infinite depth.
        crop: part of the image (see `crop_window`).

    Raises:
        InputError: a range without a depth in it, or an unknown crop.
    """

    min_depth_m: float = 1e-3
    max_depth_m: float = 80.0
    crop: CropName = "none"

    def __post_init__(self) -> None:
        if not 0 <= self.min_depth_m < self.max_depth_m:
            raise InputError(f"depth from {self.min_depth_m} to {self.max_depth_m} m: expected 0 <= min < max")
        if self.crop not in get_args(CropName):
            raise InputError(f"crop {self.crop!r} is unknown: use one of {', '.join(get_args(CropName))}")

    @property
    def label(self) -> str:
        """What to write beside a result, such as `depth in ]0.001, 80] m, garg crop`."""
        crop = "" if self.crop == "none" else f", {self.crop} crop"
        return f"depth in ]{self.min_depth_m:g}, {self.max_depth_m:g}] m{crop}"

    def of(self, truth_m: FloatMap, known: BoolMap | None = None) -> BoolMap:
        """Pixels of a ground truth that count, bool [H, W].

        Args:
            truth_m: [H, W] metres; NaN and infinite do not count.
            known: bool [H, W], the data set's own mask.

        Raises:
            InputError: a mask of another shape, or a crop that is not for this size.
        """
        with np.errstate(invalid="ignore"):
            counts = (truth_m > self.min_depth_m) & (truth_m <= min(self.max_depth_m, np.finfo(np.float64).max))
        if known is not None:
            if known.shape != truth_m.shape:
                raise InputError(f"mask of shape {list(known.shape)} for a ground truth of {list(truth_m.shape)}")
            counts &= known
        if self.crop != "none":
            window = crop_window(self.crop, *truth_m.shape)
            inside = np.zeros_like(counts)
            inside[window] = True
            counts &= inside
        return counts


def crop_window(name: CropName, height: int, width: int) -> Window:
    """Rows and columns that a protocol evaluates.

    Args:
        name: `garg` (Garg et al. 2016) and `eigen_kitti` (Eigen et al. 2014), as shares of any size, cut to whole
            pixels; `eigen_nyu`, rows 45 to 470 and columns 41 to 600 of 640x480; `border8`, all but 8 pixels.

    Raises:
        InputError: a size that the crop is not defined for.
    """
    if name == "garg":
        return _shares(height, width, 0.40810811, 0.99189189, 0.03594771, 0.96405229)
    if name == "eigen_kitti":
        return _shares(height, width, 0.3324324, 0.91351351, 0.0359477, 0.96405229)
    if name == "eigen_nyu":
        if (height, width) != (480, 640):
            raise InputError(f"Eigen's crop of NYU is for 640x480, the image is {width}x{height}: resize it first")
        return slice(45, 471), slice(41, 601)
    if name == "border8":
        if min(height, width) <= 16:
            raise InputError(f"nothing of {width}x{height} is left without 8 pixels on each side")
        return slice(8, height - 8), slice(8, width - 8)
    return slice(0, height), slice(0, width)


def kb_window(height: int, width: int) -> Window:
    """KITTI's benchmark crop of image and ground truth before inference: 1216x352, at the bottom, centred.

    It moves the principal point (see `Intrinsics.cropped`).

    Raises:
        InputError: a smaller image.
    """
    if height < 352 or width < 1216:
        raise InputError(f"KITTI's benchmark crop needs at least 1216x352, the image is {width}x{height}")
    top, left = height - 352, (width - 1216) // 2
    return slice(top, top + 352), slice(left, left + 1216)


def clamped(predicted_m: FloatMap, min_depth_m: float, max_depth_m: float) -> FloatMap:
    """A prediction within a range, as some protocols ask: +inf becomes the maximum, NaN the minimum.

    It hides invalid predictions, so a result must say that it was done.
    """
    return np.nan_to_num(predicted_m, nan=min_depth_m, posinf=max_depth_m, neginf=min_depth_m).clip(
        min_depth_m, max_depth_m
    )


def check_maps(*maps: FloatMap | BoolMap | None) -> None:
    """Raise unless all maps are [H, W] of one shape; None is no map.

    Raises:
        InputError: naming the shapes.
    """
    shapes = [x.shape for x in maps if x is not None]
    if len(shapes[0]) != 2 or len(set(shapes)) > 1:
        raise InputError(
            f"maps of shape {[list(s) for s in shapes]}: expected one [H, W], resize the prediction to the ground truth"
        )


def usable(predicted_m: FloatMap) -> BoolMap:
    """Where a prediction is a depth: finite and above 0."""
    with np.errstate(invalid="ignore"):
        result: BoolMap = predicted_m > 0
        result &= predicted_m < np.inf
    return result


def values_where(mask: BoolMap, *maps: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Values of maps [H, W] where the mask is True, [N] each, row by row; not to be written to.

    Several times as fast as indexing with the mask.
    """
    if mask.all():
        return tuple(x.ravel() for x in maps)
    places = np.flatnonzero(mask)
    return tuple(x.ravel()[places] for x in maps)


def middle(values: FloatMap, *, overwrite: bool = False) -> tuple[float, float]:
    """The two middle values of [N], whose mean is the median; the same twice where N is odd, NaN where it is 0.

    Args:
        values: without NaN.
        overwrite: leave them in another order, which saves a copy.
    """
    if not len(values):
        return math.nan, math.nan
    half = len(values) // 2
    parted = values if overwrite else values.copy()
    # one pivot takes a third of the time of two
    parted.partition(half)
    high = float(parted[half])
    return (high if len(values) % 2 else float(parted[:half].max())), high


def median(values: FloatMap, *, overwrite: bool = False) -> float:
    """As `np.median`, of [N] without NaN, in a third of the time; NaN where N is 0."""
    low, high = middle(values, overwrite=overwrite)
    return (low + high) / 2


def _shares(height: int, width: int, top: float, bottom: float, left: float, right: float) -> Window:
    return slice(int(top * height), int(bottom * height)), slice(int(left * width), int(right * width))
