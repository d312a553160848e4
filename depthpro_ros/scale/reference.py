# SPDX-License-Identifier: Apache-2.0
"""The scale from another model's metres for the same image."""

from __future__ import annotations

from torch import Tensor

from depthpro_ros.errors import InputError
from depthpro_ros.scale.estimate import Gates, ScaleEstimate, robust_scale
from depthpro_ros.scale.samples import MAX_SAMPLES, check_map, sample_grid

MAX_REFERENCE_M = 80.0
"""Depth Pro says 10 km of the sky, and far depth is where two models agree the least."""


def scale_from_reference(
    relative: Tensor, reference_m: Tensor, gates: Gates | None = None, *, max_depth_m: float = MAX_REFERENCE_M
) -> ScaleEstimate:
    """The median of reference / relative over an even grid of pixels.

    Args:
        relative: float [H, W], on any device; NaN where there is none.
        reference_m: float [H, W], metres, of the same image.
        gates: what the scale must fulfil; None takes the defaults.
        max_depth_m: reference depth beyond this is left out.

    Raises:
        InputError: not two maps of one size.
        NoScale: the two do not agree, or know too few pixels.
    """
    check_map("relative", relative)
    check_map("reference_m", reference_m)
    if relative.shape != reference_m.shape:
        raise InputError(
            f"relative depth is {list(relative.shape)}, reference_m is {list(reference_m.shape)}: expected one size, "
            "both of the same image"
        )
    grid = sample_grid(relative.shape[0], relative.shape[1], MAX_SAMPLES)
    p, z = grid.values(relative).ravel(), grid.values(reference_m).ravel()
    near = z <= max_depth_m
    return robust_scale(p[near], z[near], source="depth_pro", gates=gates or Gates(), what="pixels of the reference")
