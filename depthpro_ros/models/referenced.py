# SPDX-License-Identifier: Apache-2.0
"""A model up to scale, with a metric one beside it that says how far away things are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.errors import InputError
from depthpro_ros.models.estimator import Estimator, EstimatorInfo, Focal, Prediction, Rgb


class ReferencedEstimator:
    """Runs two models on each image: the shape is the one's, and `Prediction.reference_m` the other's.

    The focal length and the field of view are the reference's too: a model up to scale knows of neither.

    Args:
        relative: a model whose depth is up to scale.
        reference: a metric model.

    Raises:
        InputError: they are not.
    """

    def __init__(self, relative: Estimator, reference: Estimator) -> None:
        if relative.info.metric:
            raise InputError(
                f"{relative.info.name}'s depth is in metres already: a reference is for models up to scale"
            )
        if not reference.info.metric:
            raise InputError(
                f"{reference.info.name}'s depth is up to scale too: the reference must be a metric model, "
                "such as depth_pro"
            )
        self._relative, self._reference = relative, reference

    @property
    def info(self) -> EstimatorInfo:
        """The relative model's, with what must be known about the reference."""
        relative, reference = self._relative.info, self._reference.info
        beside = f"the reference, {reference.name}: "
        return replace(
            relative,
            parameters=relative.parameters + reference.parameters,
            notice="; ".join(filter(None, [relative.notice, reference.notice and beside + reference.notice])),
            approximations=(*relative.approximations, *(beside + text for text in reference.approximations)),
        )

    @property
    def reference(self) -> EstimatorInfo:
        """Which model the reference is."""
        return self._reference.info

    def predict(self, rgb: Rgb, focal_px: Focal = None) -> Prediction:
        """See `Estimator`."""
        return _joined(self._relative.predict(rgb, focal_px), self._reference.predict(rgb, focal_px))

    def predict_many(self, images: Sequence[NDArray[np.uint8]], focals_px: Sequence[float | None]) -> list[Prediction]:
        """See `Estimator`."""
        relative = self._relative.predict_many(images, focals_px)
        reference = self._reference.predict_many(images, focals_px)
        return [_joined(*both) for both in zip(relative, reference, strict=True)]

    def warm_up(self, images: int = 1) -> None:
        """Warm up those of the models that can be, for this many images at once."""
        for model in (self._relative, self._reference):
            if (warm_up := getattr(model, "warm_up", None)) is not None:
                warm_up(images)


def _joined(relative: Prediction, reference: Prediction) -> Prediction:
    reference_m: Tensor = reference.metres
    if relative.relative_depth is not None:
        reference_m = reference_m.to(relative.relative_depth.device)
    return replace(
        relative,
        focal_px=reference.focal_px,
        fov_deg=reference.fov_deg,
        rgb=reference.rgb if relative.rgb is None else relative.rgb,
        reference_m=reference_m,
    )
