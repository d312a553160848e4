# SPDX-License-Identifier: Apache-2.0
"""Sizes of networks, as a weights file tells them: checked before a network is built of them."""

from __future__ import annotations

import math

MOST = 1 << 16
"""No width, side or number in any of these networks comes near it."""


def check_whole(owner: str, least: int = 1, /, **sizes: object) -> None:
    """Check whole numbers, or sequences of them.

    Args:
        owner: what an error calls the thing that has these sizes.
        least: smallest one allowed; the largest is `MOST`.
        sizes: by name.

    Raises:
        ValueError: another type, or out of range.
    """
    for name, size in sizes.items():
        values = size if isinstance(size, tuple) else (size,)
        if len(values) > MOST or not all(type(value) is int and least <= value <= MOST for value in values):
            shown = repr(size)
            raise ValueError(
                f"{owner} {name} {shown[:80]}{'...' if len(shown) > 80 else ''} must be whole numbers from {least} to "
                f"{MOST}"
            )


def check_ratio(owner: str, /, **ratios: object) -> None:
    """Check numbers above 0.

    Raises:
        ValueError: another type, not finite, not above 0, or above `MOST`.
    """
    for name, ratio in ratios.items():
        right = type(ratio) in (int, float) and math.isfinite(ratio) and 0 < ratio <= MOST  # type: ignore[operator, arg-type]
        if not right:
            raise ValueError(f"{owner} {name} {ratio!r} must be a number above 0")
