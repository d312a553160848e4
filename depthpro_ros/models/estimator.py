# SPDX-License-Identifier: Apache-2.0
"""What every depth model offers, and what it returns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.errors import InputError

Rgb = NDArray[np.uint8] | Tensor
Focal = float | Sequence[float | None] | NDArray[Any] | Tensor | None


@dataclass(frozen=True)
class Prediction:
    """Depth of one image [H, W] or of a batch [B, H, W]: in metres, or up to a scale that nobody knows.

    Attributes:
        depth_m: float32, z-depth (along the optical axis, not the ray) in metres, on the model's device; None of a
            model whose depth is up to scale.
        focal_px: float32 [] or [B], the focal length that the depth was made with, pixels of the image's
            width. Depth in metres is proportional to it. NaN where it is unknown, which only depth up to scale can be.
        fov_deg: float32 [] or [B], the network's horizontal field of view in degrees; None where that
            network did not run, NaN for the images of a batch that it did not run for.
        rgb: uint8 [H, W, 3] or [B, H, W, 3], the images on the model's device, so that colours need not be
            uploaded again; None where the model does not keep them.
        relative_depth: float32, z-depth without a unit: the true depth is this times a factor that differs from
            image to image. NaN where there is none. None of a model that knows metres.
        relative_spread: float32, standard deviation of several draws of `relative_depth` over their mean; None where
            none were drawn.
        reference_m: float32, metres, what another model says of the same images, from which the factor can be found.
    """

    depth_m: Tensor | None
    focal_px: Tensor
    fov_deg: Tensor | None
    rgb: Tensor | None = None
    relative_depth: Tensor | None = None
    relative_spread: Tensor | None = None
    reference_m: Tensor | None = None

    def __post_init__(self) -> None:
        if (self.depth_m is None) == (self.relative_depth is None):
            raise ValueError("a prediction is either depth_m or relative_depth")

    @property
    def metres(self) -> Tensor:
        """`depth_m` for those who need metres.

        Raises:
            InputError: the depth is up to scale.
        """
        if self.depth_m is None:
            raise InputError(
                "this model's depth is up to an unknown scale, not in metres: give it a scale, or use a metric model"
            )
        return self.depth_m

    @property
    def device(self) -> torch.device:
        """Where the depth is."""
        return self.focal_px.device


@dataclass(frozen=True)
class EstimatorInfo:
    """Which model this is.

    Attributes:
        name: registered name, or the file's name.
        weights: path of the weights file.
        parameters: number of weights.
        device, precision: where and in which number format it computes.
        notice: something that the user must know about this model; empty if there is nothing.
        approximations: what was chosen that makes depth differ from the exact network's; empty if nothing was.
        metric: whether its depth is in metres; else it is up to scale.
    """

    name: str
    weights: str
    parameters: int
    device: str
    precision: str
    notice: str = ""
    approximations: tuple[str, ...] = ()
    metric: bool = True


class Estimator(Protocol):
    """A depth model: metric, or up to scale (`EstimatorInfo.metric`)."""

    @property
    def info(self) -> EstimatorInfo:
        """Which model this is."""
        ...

    def predict(self, rgb: Rgb, focal_px: Focal = None) -> Prediction:
        """Estimate depth.

        Args:
            rgb: uint8 [H, W, 3] or [B, H, W, 3].
            focal_px: pixels of the given width, one number or one per image; None where it is unknown,
                which makes a metric network estimate it. A model up to scale only hands it on.

        Raises:
            InputError: another shape or dtype, or a focal length that is not finite and above 0.
        """
        ...

    def predict_many(self, images: Sequence[NDArray[np.uint8]], focals_px: Sequence[float | None]) -> list[Prediction]:
        """Estimate depth of images of any sizes, such as one of each camera, in one batch.

        Args:
            images: uint8 [H, W, 3] each.
            focals_px: one for each image, as in `predict`.

        Returns:
            One prediction for each image.

        Raises:
            InputError: as `predict`.
        """
        ...


def check_image(rgb: Rgb, *, batches: bool) -> bool:
    """Check an image, or a batch of images where those are allowed.

    Returns:
        Whether it is a batch.

    Raises:
        InputError: not uint8, or not [H, W, 3] or [B, H, W, 3], or empty.
    """
    if not isinstance(rgb, np.ndarray | Tensor):
        raise InputError(f"rgb must be a NumPy array or a torch tensor, not {type(rgb).__name__}")
    if rgb.dtype not in (torch.uint8, np.uint8):
        raise InputError(f"rgb must be uint8 (0 to 255), not {rgb.dtype}")
    shapes = "[H, W, 3] or [B, H, W, 3]" if batches else "[H, W, 3]"
    if rgb.ndim not in ((3, 4) if batches else (3,)) or rgb.shape[-1] != 3 or 0 in rgb.shape:
        raise InputError(f"rgb must be {shapes} and not empty, it is {list(rgb.shape)}")
    return rgb.ndim == 4


def focal_list(focal_px: Focal, batch: int) -> list[float | None]:
    """Spell a focal argument out: one entry per image, None where it is to be estimated.

    Raises:
        InputError: not one entry per image, or one that is not finite and above 0.
    """
    entries: list[Any]
    if focal_px is None or isinstance(focal_px, int | float | np.number):
        entries = [focal_px] * batch
    elif isinstance(focal_px, Tensor | np.ndarray):
        entries = focal_px.reshape(-1).tolist()
        entries = entries * batch if focal_px.ndim == 0 else entries
    else:
        entries = list(focal_px)
    if len(entries) != batch:
        raise InputError(f"focal_px has {len(entries)} entries for {batch} images: give one, or one per image")
    for entry in entries:
        if entry is not None and not (math.isfinite(entry) and entry > 0):
            raise InputError(f"focal_px must be finite and above 0 pixels, or None; it is {entry}")
    return [None if entry is None else float(entry) for entry in entries]
