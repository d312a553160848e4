# SPDX-License-Identifier: Apache-2.0
"""Files of a photograph's depth up to scale, which no program is to take for metres by mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.files import millimetres, write_ply
from depthpro_ros.pipeline import DepthFrame
from depthpro_ros.still import FocalOrigin, spread_of
from depthpro_ros.visualise import (
    RgbImage,
    captioned,
    colour_depth,
    png_bytes,
    robust_limits,
    side_by_side,
    with_legend,
)

TILE_PX = 256
"""Longer side of a picture in the refinement picture."""


@dataclass(frozen=True)
class AssumedFiles:
    """Files in metres that rest on a number the user gave; all names say so.

    Attributes:
        depth_npy: float32 [H, W] metres, as `StillFiles.depth_npy`.
        depth_png: 16-bit millimetres, 0 where there is no depth.
        cloud_ply: coloured points; written only where a focal length is known.
    """

    depth_npy: Path
    depth_png: Path
    cloud_ply: Path


@dataclass(frozen=True)
class RelativeFiles:
    """Where the results of one photograph go.

    Attributes:
        relative_npy: float32 [H, W] without a unit, NaN where there is no depth.
        colour_png: the same in colours, with a legend that says `relative`.
        refinement_png: the photo and its depth after every scale; None if not asked for.
        assumed: None unless a scale is assumed.
    """

    relative_npy: Path
    colour_png: Path
    refinement_png: Path | None = None
    assumed: AssumedFiles | None = None

    @classmethod
    def beside(cls, folder: Path, name: str, *, refinement: bool = False, assumed: bool = False) -> RelativeFiles:
        """The names that `depthpro image` uses."""
        metres = AssumedFiles(
            folder / f"{name}_assumed_depth.npy", folder / f"{name}_assumed_depth.png", folder / f"{name}_assumed.ply"
        )
        return cls(
            folder / f"{name}_relative.npy",
            folder / f"{name}_colour.png",
            folder / f"{name}_refinement.png" if refinement else None,
            metres if assumed else None,
        )

    def all(self) -> tuple[Path, ...]:
        """Every file."""
        metres = self.assumed
        return (
            *(self.relative_npy, self.colour_png),
            *([] if self.refinement_png is None else [self.refinement_png]),
            *([] if metres is None else [metres.depth_npy, metres.depth_png, metres.cloud_ply]),
        )


@dataclass(frozen=True)
class RelativeSummary:
    """What to tell the user about one photograph.

    Attributes:
        width, height: pixels.
        focal_px, focal_origin: focal length, and where it comes from; NaN and `unknown` without.
        least, median, greatest: of the relative depth; NaN where there is none.
        known: share of pixels with a depth.
        assumed_m: least, median and greatest of the depth in metres that the assumed scale makes; None without.
        points: number of points in the cloud; None where none was written.
        model_ms: time in the network, milliseconds.
    """

    width: int
    height: int
    focal_px: float
    focal_origin: FocalOrigin
    least: float
    median: float
    greatest: float
    known: float
    assumed_m: tuple[float, float, float] | None
    points: int | None
    model_ms: float


def save_relative(frame: DepthFrame, origin: FocalOrigin, files: RelativeFiles) -> RelativeSummary:
    """Write the depth (not the refinement picture) and sum up what is in it.

    Raises:
        InputError: the frame's depth is not up to scale, or files in metres are asked for and it has none.
    """
    if frame.relative_depth is None:
        raise InputError("this model's depth is in metres, not up to scale")
    relative = frame.relative_depth.float().cpu().numpy()
    near, far = robust_limits(relative)
    np.save(files.relative_npy, relative)
    colours = with_legend(colour_depth(relative, near, far), near, far, unit="", title="relative")
    files.colour_png.write_bytes(png_bytes(colours))
    assumed_m, points = None, None
    if files.assumed is not None:
        depth = frame.metres.float().cpu().numpy()
        assumed_m = spread_of(depth)[:3]
        np.save(files.assumed.depth_npy, depth)
        files.assumed.depth_png.write_bytes(png_bytes(millimetres(depth)))
        if frame.cloud is not None:
            points = write_ply(files.assumed.cloud_ply, frame.cloud.cpu().numpy(), note="scale assumed, not measured")
    least, median, greatest, known = spread_of(relative)
    return RelativeSummary(
        width=relative.shape[1],
        height=relative.shape[0],
        focal_px=np.nan if frame.intrinsics is None else frame.intrinsics.fx,
        focal_origin=origin,
        least=least,
        median=median,
        greatest=greatest,
        known=known,
        assumed_m=assumed_m,
        points=points,
        model_ms=frame.model_ms,
    )


def refinement_picture(
    rgb: NDArray[np.uint8], depths: NDArray[np.float32], sides: Sequence[int] | None = None
) -> RgbImage:
    """The photo and its depth after every scale, side by side, in the same colours.

    Args:
        rgb: uint8 [H, W, 3].
        depths: float32 [K, H, W], relative depth after each scale; the last is the result.
        sides: of each scale's grid, to stand above its picture; else the scales are numbered.

    Raises:
        InputError: no depth, or not one side for each.
    """
    if depths.ndim != 3 or not len(depths) or (sides is not None and len(sides) != len(depths)):
        raise InputError(f"depth after every scale is {list(depths.shape)} for grids {sides}: expected [K, H, W]")
    near, far = robust_limits(depths[-1])
    names = [f"scale {k + 1}" for k in range(len(depths))] if sides is None else [f"{side}x{side}" for side in sides]
    tiles = [captioned(_tile(rgb), "photo")]
    tiles += [captioned(_tile(colour_depth(d, near, far)), name) for d, name in zip(depths, names, strict=True)]
    return side_by_side(tiles)


def _tile(picture: RgbImage) -> RgbImage:
    height, width = picture.shape[:2]
    factor = TILE_PX / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)  # type: ignore[return-value]
