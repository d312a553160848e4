# SPDX-License-Identifier: Apache-2.0
"""A look at a data set before a run spends hours on it: what it holds, and what is wrong with it."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import numpy as np

from depthpro_ros.errors import InputError
from depthpro_ros.frames import FrameSet, RgbdFrame
from depthpro_ros.training.data.batch import DatasetKind

LOOKED_AT = 16
MOST_READ_AS_METRES = 100.0
"""A median depth of whole numbers beyond this is in millimetres or raw units: few cameras see so far."""
FARTHEST_MEDIAN_M = 1000.0
NEAREST_MEDIAN_M = 0.02
FOV_DEG = (10.0, 170.0)
_MANY = 8
_UPSIDE_DOWN_SHARE = 0.9

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FrameSetReport:
    """What a look at some frames of a data set told.

    Attributes:
        name: of the data set.
        frames: that it has.
        looked_at: of them, evenly spread.
        sizes: widths and heights that occur, pixels.
        median_depth_m: median of the frames' median finite depths.
        valid_share: share of pixels with a depth, sky among them.
        fov_deg: smallest and largest horizontal field of view.
        warnings: what is odd but can be trained on.
    """

    name: str
    frames: int
    looked_at: int
    sizes: tuple[tuple[int, int], ...]
    median_depth_m: float
    valid_share: float
    fov_deg: tuple[float, float]
    warnings: tuple[str, ...]

    @property
    def text(self) -> str:
        """One line."""
        sizes = ", ".join(f"{width}x{height}" for width, height in self.sizes[:4])
        sizes += ", ..." if len(self.sizes) > 4 else ""
        low, high = (round(fov) for fov in self.fov_deg)
        fov = f"{low}" if low == high else f"{low} to {high}"
        line = (
            f"{self.name}: {self.frames} frames of {sizes} px, median depth {self.median_depth_m:.3g} m, "
            f"{100 * self.valid_share:.0f} % valid, field of view {fov} degrees ({self.looked_at} looked at)"
        )
        return "; ".join([line, *self.warnings])


@dataclass(frozen=True)
class _Look:
    """What one frame told."""

    size: tuple[int, int]
    fov_deg: float
    valid_share: float
    median_m: float  # NaN without finite depth
    whole_numbers: bool
    constant: bool
    lower_farther: bool  # the lower third of the image than the upper
    bad_values: int  # zeros, negative numbers and -inf


def check_frames(data: FrameSet, kind: DatasetKind = "real_metric", *, at_most: int = LOOKED_AT) -> FrameSetReport:
    """Read some frames, evenly spread, and judge them.

    Args:
        data: frames.
        kind: what their depth is good for; its unit is judged where it should be metres.
        at_most: frames that are read.

    Raises:
        InputError: no frames, none that can be read, sizes that differ, no depth anywhere, depth in the wrong
            unit, depth that is the same everywhere, or an impossible field of view. The text says what to do.
    """
    frames = len(data)
    if frames == 0:
        raise InputError(f"data set {data.name} is empty: check its path, or leave it out")
    places = np.unique(np.linspace(0, frames - 1, min(at_most, frames)).round().astype(int))
    looks, problems = [], []
    for index in places:
        try:
            looks.append(_look(data.frame(int(index))))
        except (InputError, OSError) as error:
            problems.append(f"frame {index} cannot be used ({error})")
    if not looks:
        raise InputError(f"data set {data.name}: none of {len(places)} frames can be used; the first: {problems[0]}")
    _refuse(data.name, looks)
    if kind in ("synthetic_metric", "real_metric"):
        _refuse_units(data.name, looks)
    medians = [look.median_m for look in looks if math.isfinite(look.median_m)]
    report = FrameSetReport(
        name=data.name,
        frames=frames,
        looked_at=len(places),
        sizes=tuple(dict.fromkeys(look.size for look in looks)),
        median_depth_m=float(np.median(medians)) if medians else math.inf,
        valid_share=float(np.mean([look.valid_share for look in looks])),
        fov_deg=(min(look.fov_deg for look in looks), max(look.fov_deg for look in looks)),
        warnings=(*problems, *_oddities(looks)),
    )
    for warning in report.warnings:
        logger.warning("%s: %s", data.name, warning)
    return report


def _look(frame: RgbdFrame) -> _Look:
    depth = frame.depth_m
    height, width = depth.shape
    valid = depth > 0
    finite = depth[valid & np.isfinite(depth)]
    third = max(height // 3, 1)
    upper, lower = (part[(part > 0) & np.isfinite(part)] for part in (depth[:third], depth[-third:]))
    return _Look(
        size=(width, height),
        fov_deg=frame.fov_deg,
        valid_share=float(valid.mean()),
        median_m=float(np.median(finite)) if finite.size else math.nan,
        whole_numbers=bool(finite.size) and bool((finite == np.rint(finite)).all()),
        constant=finite.size > 1 and bool(np.ptp(finite) <= 1e-6 * finite.max()) and finite.size == valid.sum(),
        lower_farther=bool(upper.size and lower.size) and bool(np.median(lower) > np.median(upper)),
        bad_values=int((depth <= 0).sum()),
    )


def _refuse(name: str, looks: list[_Look]) -> None:
    """Raise InputError for what nothing can be learnt from."""
    if not any(look.valid_share for look in looks):
        raise InputError(
            f"data set {name}: none of {len(looks)} frames has any valid depth (finite and above 0, or +inf for sky): "
            "check that the files hold depth, and its format"
        )
    measured = [look for look in looks if math.isfinite(look.median_m)]
    if measured and all(look.constant for look in measured):
        raise InputError(f"data set {name}: each frame has one depth everywhere: it is no depth map")
    low, high = FOV_DEG
    for look in looks:
        if not low <= look.fov_deg <= high:
            raise InputError(
                f"data set {name}: a field of view of {look.fov_deg:.1f} degrees, expected {low:g} to {high:g}: fx "
                f"must be in pixels of images {look.size[0]} wide; check fx_px or the intrinsics"
            )


def _refuse_units(name: str, looks: list[_Look]) -> None:
    """Raise InputError for depth that cannot be in metres."""
    measured = [look for look in looks if math.isfinite(look.median_m)]
    if not measured:
        return
    median = float(np.median([look.median_m for look in measured]))
    if median > MOST_READ_AS_METRES and all(look.whole_numbers for look in measured):
        raise InputError(
            f"data set {name}: the median depth is {median:.4g} m and all depths are whole numbers, so they are "
            "likely millimetres: set depth_scale: 1000 (5000 for TUM RGB-D)"
        )
    if median > FARTHEST_MEDIAN_M:
        raise InputError(
            f"data set {name}: the median depth is {median:.4g} m, expected less than {FARTHEST_MEDIAN_M:g}: set "
            "depth_scale to the stored values per metre, and store unknown depth as 0 or NaN"
        )
    if median < NEAREST_MEDIAN_M:
        raise InputError(
            f"data set {name}: the median depth is {median:.3g} m, expected more than {NEAREST_MEDIAN_M:g}: depth in "
            "metres was likely divided as if it were millimetres; set depth_scale: 1 (the stored values per metre)"
        )


def _oddities(looks: list[_Look]) -> list[str]:
    """What is odd, in words."""
    odd = []
    empty = sum(look.valid_share == 0 for look in looks)
    if empty:
        odd.append(f"{empty} of {len(looks)} frames have no valid depth; such frames are replaced while training")
    bad = sum(look.bad_values > 0 for look in looks)
    if bad:
        odd.append(f"{bad} of {len(looks)} frames have depth of 0 or less, which counts as unknown")
    sizes = len({look.size for look in looks})
    if sizes > 1:
        odd.append(f"images have {sizes} sizes, which is allowed")
    upside_down = sum(look.lower_farther for look in looks)
    if len(looks) >= _MANY and upside_down >= _UPSIDE_DOWN_SHARE * len(looks):
        odd.append(
            f"in {upside_down} of {len(looks)} frames the lower part is farther than the upper: make sure that it is "
            "depth and not its inverse (disparity)"
        )
    return odd
