# SPDX-License-Identifier: Apache-2.0
"""Depth of a single photograph: estimate it, save it, describe it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.files import millimetres, write_ply
from depthpro_ros.models.estimator import Estimator
from depthpro_ros.photo import Photo
from depthpro_ros.pipeline import DepthFrame, Pipeline, PipelineSettings, Wanted
from depthpro_ros.visualise import colour_depth, png_bytes, robust_limits, with_legend

FocalOrigin = Literal["given", "exif", "estimated", "unknown"]


@dataclass(frozen=True)
class StillFiles:
    """Where the results of one photograph go.

    Attributes:
        depth_npy: float32 [H, W] metres; +Inf beyond the range.
        depth_png: 16-bit millimetres, 0 where there is no depth.
        colour_png: depth in colours, with a legend in metres.
        cloud_ply: coloured points.
    """

    depth_npy: Path
    depth_png: Path
    colour_png: Path
    cloud_ply: Path

    @classmethod
    def beside(cls, folder: Path, name: str) -> StillFiles:
        """The names that `depthpro image` uses."""
        return cls(
            folder / f"{name}_depth.npy",
            folder / f"{name}_depth.png",
            folder / f"{name}_colour.png",
            folder / f"{name}.ply",
        )

    def all(self) -> tuple[Path, ...]:
        """Every file."""
        return self.depth_npy, self.depth_png, self.colour_png, self.cloud_ply


@dataclass(frozen=True)
class StillSummary:
    """What to tell the user about one photograph.

    Attributes:
        width, height: pixels.
        focal_px, focal_origin: focal length in use, and where it comes from.
        fov_deg: horizontal field of view that it means, degrees.
        min_m, median_m, max_m: of the finite depths, metres; NaN where there are none.
        finite: share of pixels with a finite depth.
        points: number of points in the cloud.
        model_ms: time in the network, milliseconds.
    """

    width: int
    height: int
    focal_px: float
    focal_origin: FocalOrigin
    fov_deg: float
    min_m: float
    median_m: float
    max_m: float
    finite: float
    points: int
    model_ms: float


def depth_of_still(
    estimator: Estimator,
    photo: Photo,
    *,
    focal_px: float | None = None,
    max_depth_m: float = 80.0,
    stride: int = 1,
    assumed_d98_m: float | None = None,
) -> tuple[DepthFrame, FocalOrigin]:
    """Estimate the depth of a photograph.

    Args:
        estimator: the model.
        photo: the photograph.
        focal_px: focal length in pixels of the upright photo; else EXIF's is used, else the network's.
        max_depth_m: farther is +Inf.
        stride: every n-th pixel of every n-th row becomes a point of the cloud.
        assumed_d98_m: of a model up to scale: what to take for the depth that 98 % of the photo are nearer than,
            metres; None leaves its depth without a unit.

    Raises:
        InputError: a setting is out of range, or a scale is assumed for a metric model.
    """
    known = photo.exif_focal_px if focal_px is None else focal_px
    settings = PipelineSettings(
        focal_policy="estimated" if known is None else "fixed",
        fixed_focal_px=known or 0.0,
        max_depth_m=max_depth_m,
        cloud_stride=stride,
        cloud_organised=False,
        scale_source="off" if assumed_d98_m is None else "assumed",
        assumed_d98_m=assumed_d98_m or 0.0,
    )
    # a pipeline of its own: photographs come from different lenses, so no focal length is carried over
    frame = Pipeline(estimator, settings).process(photo.rgb, None, Wanted(confidence=False))
    if frame.intrinsics is None:
        return frame, "unknown"
    return frame, "given" if focal_px is not None else "estimated" if known is None else "exif"


def save_still(frame: DepthFrame, origin: FocalOrigin, files: StillFiles) -> StillSummary:
    """Write the four files and sum up what is in them.

    Raises:
        InputError: the depth is not in metres (see `depthpro_ros.still_relative`), or there is no cloud.
    """
    depth = frame.metres.float().cpu().numpy()
    near, far = robust_limits(depth)
    np.save(files.depth_npy, depth)
    files.depth_png.write_bytes(png_bytes(millimetres(depth)))
    files.colour_png.write_bytes(png_bytes(with_legend(colour_depth(depth, near, far), near, far)))
    if frame.cloud is None:
        raise InputError("the frame was made without a cloud: ask the pipeline for one")
    points = write_ply(files.cloud_ply, frame.cloud.cpu().numpy())
    low, middle, high, finite = spread_of(depth)
    return StillSummary(
        width=depth.shape[1],
        height=depth.shape[0],
        focal_px=frame.pinhole.fx,
        focal_origin=origin,
        fov_deg=frame.pinhole.fov_deg,
        min_m=low,
        median_m=middle,
        max_m=high,
        finite=finite,
        points=points,
        model_ms=frame.model_ms,
    )


def spread_of(depth: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Least, median and greatest of the finite depths (NaN where there are none), and their share of all pixels."""
    finite = depth[np.isfinite(depth)]
    if not finite.size:
        return np.nan, np.nan, np.nan, 0.0
    return float(finite.min()), float(np.median(finite)), float(finite.max()), finite.size / depth.size
