# SPDX-License-Identifier: Apache-2.0
"""What is done to a depth map before it is published, and how an estimated focal length is steadied."""

from __future__ import annotations

import math
import statistics
from collections import deque

import torch
from torch import Tensor

from depthpro_ros import host


def limit_range(depth_m: Tensor, min_m: float, max_m: float) -> Tensor:
    """Mark what is out of range, in place (REP 117).

    Args:
        depth_m: float32 [...], metres.
        min_m, max_m: nearer becomes -Inf, farther +Inf. The network's sky, 10 km, is farther.

    Returns:
        `depth_m`. NaN stays NaN.
    """
    if depth_m.device.type == "cpu":
        host.limit_range(depth_m.numpy(), min_m, max_m)
        return depth_m
    depth_m.masked_fill_(depth_m > max_m, torch.inf)
    if min_m > 0:
        depth_m.masked_fill_(depth_m < min_m, -torch.inf)
    return depth_m


def edge_mask(depth_m: Tensor, ratio: float) -> Tensor:
    """Pixels on a depth discontinuity, where an interpolated depth belongs to neither side.

    A pixel is on an edge if the depths of its two neighbours, left and right or above and below, differ
    by more than `ratio` times the pixel's own depth. Differences across two pixels find both the clean
    step and the ramp that a network or a resize makes of one.

    Args:
        depth_m: [H, W], metres, before the range is limited (so finite).
        ratio: for example 0.1.

    Returns:
        bool [H, W].
    """
    if depth_m.device.type == "cpu":
        return torch.from_numpy(host.edge_mask(depth_m.numpy(), ratio))
    mask = torch.zeros(depth_m.shape, dtype=torch.bool, device=depth_m.device)
    limit = depth_m * ratio
    height, width = depth_m.shape
    if width > 2:
        across = (depth_m[:, 2:] - depth_m[:, :-2]).abs_()
        torch.gt(across, limit[:, 1:-1], out=mask[:, 1:-1])
    if height > 2:
        down = (depth_m[2:] - depth_m[:-2]).abs_()
        mask[1:-1].logical_or_(down > limit[1:-1])
    return mask


class FocalFilter:
    """Steady the per-frame focal estimates of a lens that does not zoom.

    Until `lock_after` estimates agree within `tolerance`, the output is their running median. Then it is
    locked: the output is one number, to the last bit, so the scale of a static camera does not flicker.
    It unlocks when `unlock_after` estimates in a row lie farther than `tolerance` from it on the same
    side, that is, when the lens has changed rather than the scene.

    Estimates are compared as ratios (in log f) and relative to the image width.

    Args:
        lock_after: consistent estimates needed to lock.
        unlock_after: contradicting estimates in a row needed to unlock.
        tolerance: relative deviation that counts as agreement.
    """

    def __init__(self, lock_after: int = 10, unlock_after: int = 5, tolerance: float = 0.1) -> None:
        self._lock_after, self._unlock_after = lock_after, unlock_after
        self._tolerance = math.log1p(tolerance)
        self._recent: deque[float] = deque(maxlen=lock_after)
        self._contrary: list[float] = []
        self._locked: float | None = None

    @property
    def locked(self) -> bool:
        """Whether the output is held."""
        return self._locked is not None

    @property
    def contradicted(self) -> bool:
        """Whether the last estimate contradicted a lock: the next ones decide."""
        return bool(self._contrary)

    def held(self, width_px: int) -> float | None:
        """The locked focal length in pixels of this width, or None."""
        return None if self._locked is None else math.exp(self._locked) * width_px

    def reset(self) -> None:
        """Forget everything: another camera, or time went back."""
        self._recent.clear()
        self._contrary.clear()
        self._locked = None

    def update(self, focal_px: float, width_px: int) -> float:
        """Take one estimate and return the focal length to use, both in pixels of this width."""
        value = math.log(focal_px / width_px)
        if self._locked is not None:
            self._watch(value, self._locked)
        if self._locked is None:
            self._recent.append(value)
            middle = statistics.median(self._recent)
            if len(self._recent) == self._lock_after and all(abs(v - middle) <= self._tolerance for v in self._recent):
                self._locked = middle
            return math.exp(middle) * width_px
        return math.exp(self._locked) * width_px

    def _watch(self, value: float, locked: float) -> None:
        """Count estimates that contradict the lock; unlock when there are enough."""
        deviation = value - locked
        same_side = not self._contrary or (self._contrary[-1] - locked) * deviation > 0
        if abs(deviation) <= self._tolerance or not same_side:
            self._contrary.clear()
        if abs(deviation) > self._tolerance:
            self._contrary.append(value)
        if len(self._contrary) >= self._unlock_after:
            contrary = list(self._contrary)
            self.reset()
            self._recent.extend(contrary[:-1])
