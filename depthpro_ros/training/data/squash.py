# SPDX-License-Identifier: Apache-2.0
"""A frame as the network sees it: squashed to a square, depth as canonical inverse depth."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from depthpro_ros.frames import RgbdFrame
from depthpro_ros.training.data.batch import Batch, DatasetKind


def squash(frame: RgbdFrame, size_px: int, kind: DatasetKind) -> Batch:
    """One frame as a batch of one.

    Colours are averaged (antialiased bilinear); depth is picked from the nearest pixel, so that no depth
    stands between a thing and what is behind it. C = fx / (W D) (arXiv 2410.02073, equation 1), with fx and W
    of the frame as it is given: squashing changes neither fx / W nor D.

    Args:
        frame: any size and shape.
        size_px: S, width and height of the square.
    """
    height, width = frame.depth_m.shape
    planes = torch.from_numpy(np.ascontiguousarray(frame.rgb)).permute(2, 0, 1)[None]
    if (height, width) != (size_px, size_px):
        planes = F.interpolate(planes, (size_px, size_px), mode="bilinear", align_corners=False, antialias=True)
    rows, columns = (_nearest(size_px, length) for length in (height, width))
    depth_m = torch.from_numpy(np.ascontiguousarray(frame.depth_m[rows[:, None], columns[None, :]]))[None]
    valid = depth_m > 0  # false for NaN, true for the sky's +inf
    return Batch(
        rgb=planes.permute(0, 2, 3, 1).contiguous(),
        canonical=torch.where(valid, frame.fx_px / width / depth_m, 0.0),
        valid=valid,
        fov_deg=torch.tensor([frame.fov_deg], dtype=torch.float32),
        kind=(kind,),
    )


def _nearest(to: int, source: int) -> np.ndarray:
    """For each of `to` pixels, the one of `source` pixels that its centre lies in."""
    return ((np.arange(to) + 0.5) * source / to).astype(np.int64)
