# SPDX-License-Identifier: Apache-2.0
"""Notices when an estimated focal length, and with it the scale of everything, is suddenly another."""

from __future__ import annotations

import math

HELD = 1e-6
"""Relative change that rounding may make."""


class FocalWatch:
    """Compares the estimated focal length of each frame with the one before; both relative to the image's width."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._locked = False

    def forget(self) -> None:
        """Another camera, or another focal policy: what comes next is no jump."""
        self._last, self._locked = None, False

    def unlock(self) -> None:
        """Nothing is held any more, since the estimates begin anew."""
        self._locked = False

    def jump(self, focal_px: float, width_px: int, locked: bool, tolerance: float) -> str:
        """What to tell the user of a frame's focal length; empty if it is the expected one.

        Args:
            focal_px: in use for the frame, estimated.
            width_px: the image's.
            locked: whether it is held.
            tolerance: relative change that is no jump.
        """
        focal = focal_px / width_px
        before, was_locked = self._last, self._locked
        self._last, self._locked = focal, locked
        if before is None:
            return ""
        change = f"from {before * width_px:.1f} to {focal_px:.1f} px ({focal / before - 1:+.1%})"
        # what is held is the same to the last bit, but for the width
        if was_locked and abs(focal / before - 1) > HELD:
            return f"the held focal length was given up and goes {change}: the scale of all depth changes with it"
        if abs(math.log(focal / before)) > math.log1p(tolerance):
            return f"the estimated focal length jumped {change}: the scale of all depth changes with it"
        return ""
