# SPDX-License-Identifier: Apache-2.0
"""Depth from the disparity of rectified stereo pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def disparity_to_depth(
    disparity_px: NDArray[Any], fx_px: float, baseline_m: float, doffs_px: float = 0.0
) -> NDArray[np.float32]:
    """Depth in metres, Z = fx baseline / (disparity + doffs), float32.

    Args:
        disparity_px: not finite, or 0 and less, where unknown.
        fx_px, baseline_m: of the rectified cameras.
        doffs_px: cx of the right camera less that of the left (Middlebury's `doffs`).

    Returns:
        NaN where the disparity is unknown, or the point would lie at infinity or behind the cameras.
    """
    disparity = disparity_px.astype(np.float64)
    shifted = disparity + doffs_px
    known = np.isfinite(disparity) & (disparity > 0) & (shifted > 0)
    return np.where(known, fx_px * baseline_m / np.where(known, shifted, 1.0), np.nan).astype(np.float32)
