# SPDX-License-Identifier: Apache-2.0
"""One steady scale from the estimates of many frames: smoothed, gated against outliers, forgotten when old."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from depthpro_ros.errors import InputError
from depthpro_ros.scale.estimate import NoScale, ScaleEstimate, ScaleSource


@dataclass(frozen=True)
class TrackedScale:
    """The scale to use for a frame.

    Attributes:
        scale: metres per unit of relative depth, smoothed.
        estimate: the last one that was accepted, as it was.
        age_s: seconds since that one; 0 where it is of this frame.
        jumped: whether the scale was set anew in this frame because estimates kept contradicting it.
    """

    scale: float
    estimate: ScaleEstimate
    age_s: float
    jumped: bool


@dataclass
class ScaleTracker:
    """Follow the scale of one camera.

    An estimate within `jump` of the tracked scale is blended in: log s <- (1 - a) log s + a log s_new, so that twice
    as much and half as much weigh alike. One beyond is not followed, until `jump_after` in a row agree with each other
    within `jump`: then the scale is their geometric mean. Without an accepted estimate for longer than `timeout_s`
    there is no scale. A clock that goes back (a bag in a loop) and another source begin anew.

    Attributes:
        smoothing: a, the weight of a new estimate, in ]0, 1]; 1 does not smooth.
        jump: how far an estimate may be from the scale, as a share: 0.25 is from 1 / 1.25 to 1.25.
        jump_after: contradicting estimates in a row that are followed; 1 follows every one.
        timeout_s: seconds.

    Raises:
        InputError: a setting outside its range.
    """

    smoothing: float = 0.5
    jump: float = 0.25
    jump_after: int = 3
    timeout_s: float = 1.0
    _log_scale: float = field(default=0.0, init=False, repr=False)
    _accepted: ScaleEstimate | None = field(default=None, init=False, repr=False)
    _accepted_s: float = field(default=-math.inf, init=False, repr=False)
    _newest_s: float = field(default=-math.inf, init=False, repr=False)
    _against: list[float] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.smoothing <= 1:
            raise InputError(f"smoothing is {self.smoothing}, expected above 0 and up to 1")
        for name in ("jump", "timeout_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} is {value}, expected a finite number above 0")
        if self.jump_after < 1:
            raise InputError(f"jump_after is {self.jump_after}, expected at least 1")

    def reset(self) -> None:
        """Forget everything."""
        self._accepted, self._accepted_s, self._newest_s = None, -math.inf, -math.inf
        self._against.clear()

    def update(
        self, estimate: ScaleEstimate | NoScale, stamp_s: float, change: float | None = None
    ) -> TrackedScale | None:
        """Take what a frame says of its scale.

        Args:
            estimate: this frame's, or why it has none.
            stamp_s: the frame's time, seconds.
            change: scale of this frame over that of the last one where that is known (`scale_change`); the tracked
                scale is carried on by it before it meets the estimate.

        Returns:
            The scale to use for this frame; None while none is valid.

        Raises:
            InputError: a stamp that is not finite, a change or a scale that is not finite and above 0.
        """
        if not math.isfinite(stamp_s):
            raise InputError(f"stamp is {stamp_s}, expected finite seconds")
        if change is not None:
            _log(change, "change")
        if stamp_s < self._newest_s:
            self.reset()
        self._newest_s = stamp_s
        if stamp_s - self._accepted_s > self.timeout_s:
            self._accepted = None
        if change is not None:
            self._carry(math.log(change))
        jumped = isinstance(estimate, ScaleEstimate) and self._take(estimate, stamp_s)
        if self._accepted is None:
            return None
        age_s = stamp_s - self._accepted_s
        return TrackedScale(math.exp(self._log_scale), self._accepted, age_s, jumped)

    def _carry(self, log_change: float) -> None:
        if self._source != "assumed":
            self._log_scale += log_change
            self._against = [value + log_change for value in self._against]

    @property
    def _source(self) -> ScaleSource | None:
        return None if self._accepted is None else self._accepted.source

    def _take(self, estimate: ScaleEstimate, stamp_s: float) -> bool:
        """Blend an estimate in, hold it back, or follow it; returns whether the scale jumped."""
        new = _log(estimate.scale, "scale")
        jump = math.log1p(self.jump)
        jumped = False
        if self._accepted is None or self._source != estimate.source:
            self._log_scale = new
        elif abs(new - self._log_scale) <= jump:
            self._log_scale += self.smoothing * (new - self._log_scale)
        else:
            self._against = [value for value in self._against if abs(value - new) <= jump] + [new]
            if len(self._against) < self.jump_after:
                return False
            self._log_scale, jumped = sum(self._against) / len(self._against), True
        self._accepted, self._accepted_s = estimate, stamp_s
        self._against.clear()
        return jumped


def _log(value: float, name: str) -> float:
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} is {value}, expected a finite number above 0")
    return math.log(value)
