# SPDX-License-Identifier: Apache-2.0
"""The Middlebury motorcycle (Scharstein et al., GCPR 2014), which scikit-image brings with its disparity.

A calibrated photograph with ground truth. Nothing of it is copied into this repository.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError

# calibration of the size that scikit-image ships (documentation of skimage.data.stereo_motorcycle)
MOTORCYCLE = Intrinsics(741, 500, 994.978, 994.978, 311.193, 254.877)
BASELINE_M = 0.193001
PRINCIPAL_POINT_SHIFT_PX = 31.086
"""Difference of the two cameras' cx: Middlebury's `doffs`."""


def motorcycle() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The left photograph, uint8 [500, 741, 3], and its depth in metres, float32, NaN where unknown.

    Z = baseline f / (disparity + doffs); unknown disparities are +Inf in the file.

    Raises:
        InputError: scikit-image is not installed.
    """
    try:
        from skimage import data
    except ImportError as error:
        raise InputError("the motorcycle comes with scikit-image: pip install scikit-image") from error
    left, _, disparity = data.stereo_motorcycle()
    known = np.isfinite(disparity)
    shifted = np.where(known, disparity, 0.0).astype(np.float64) + PRINCIPAL_POINT_SHIFT_PX
    depth = np.where(known, BASELINE_M * MOTORCYCLE.fx / shifted, np.nan).astype(np.float32)
    return np.ascontiguousarray(left[..., :3]), depth
