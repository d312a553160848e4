# SPDX-License-Identifier: Apache-2.0
"""Depth Pro behind the Estimator interface."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro.inference import MergedDepthPro
from depthpro_ros.models.depth_pro.input import Uploader, network_input
from depthpro_ros.models.depth_pro.network import focal_from_fov, metric_depth
from depthpro_ros.models.depth_pro.runner import NetworkRunner
from depthpro_ros.models.estimator import EstimatorInfo, Focal, Prediction, Rgb, check_image, focal_list


class DepthProEstimator:
    """Runs a Depth Pro network on images of any size.

    Args:
        network: merged, with its weights, in the precision and on the device that it is to run with.
        info: what to tell users about it.
        memory: `auto` or `low`, see `NetworkRunner`.
        accelerate: `eager`, `graphs` or `compile`, see `NetworkRunner`.
    """

    def __init__(
        self, network: MergedDepthPro, info: EstimatorInfo, memory: str = "auto", accelerate: str = "eager"
    ) -> None:
        self.network, self.info = network, info
        self.runner = NetworkRunner(network, memory, accelerate)
        self.device, self.dtype = self.runner.device, network.dtype
        self._upload = Uploader(self.device)

    @torch.inference_mode()
    def predict(self, rgb: Rgb, focal_px: Focal = None) -> Prediction:
        """See `Estimator.predict`. The field-of-view network runs only for images whose focal length is missing."""
        batched = check_image(rgb, batches=True)
        images = self._upload(rgb)
        images = images if batched else images[None]
        focals = focal_list(focal_px, len(images))
        prediction = self._run([images], focals)[0]
        if batched:
            return prediction
        return _first(prediction, has_fov=prediction.fov_deg is not None)

    @torch.inference_mode()
    def predict_many(self, images: Sequence[NDArray[np.uint8]], focals_px: Sequence[float | None]) -> list[Prediction]:
        """See `Estimator.predict_many`."""
        for image in images:
            check_image(image, batches=False)
        focals = focal_list(list(focals_px), len(images))
        predictions = self._run([self._upload(image)[None] for image in images], focals)
        return [_first(p, has_fov=focal is None) for p, focal in zip(predictions, focals, strict=True)]

    @torch.inference_mode()
    def warm_up(self, cameras: int = 1) -> None:
        """Let a GPU choose its kernels and record its graphs before the first frame, for batches up to so many."""
        if self.device.type != "cuda":
            return
        black = np.zeros((48, 64, 3), np.uint8)
        for count in range(1, cameras + 1):
            for focal in (64.0, None) if self.network.fov is not None else (64.0,):
                self.predict_many([black] * count, [focal] * count)
        torch.cuda.synchronize(self.device)

    def _run(self, groups: Sequence[Tensor], focals: list[float | None]) -> list[Prediction]:
        """One pass over groups of images [b, H, W, 3], each of one size; a prediction for each group."""
        if not groups:
            return []
        unknown = [index for index, focal in enumerate(focals) if focal is None]
        if unknown and self.network.fov is None:
            raise InputError(f"{self.info.name} has no field-of-view head: give focal_px")
        config, network = self.network.config, self.network
        inputs = [
            network_input(group, config.input_px, network.input_scale, self.dtype, config.antialias) for group in groups
        ]
        want_fov: bool | list[int] = len(unknown) == len(focals) or (unknown or False)
        canonical, fov = self.runner(inputs[0] if len(inputs) == 1 else torch.cat(inputs), want_fov)

        fov_deg = torch.full((len(focals),), torch.nan, device=self.device)
        if fov is not None:
            fov_deg[unknown] = fov.float()
        given = torch.tensor([torch.nan if f is None else f for f in focals], dtype=torch.float32, device=self.device)
        predictions, first = [], 0
        for group in groups:
            rows = slice(first, first + len(group))
            first += len(group)
            _, height, width, _ = group.shape
            focal = torch.where(given[rows].isnan(), focal_from_fov(fov_deg[rows], width), given[rows])
            depth = metric_depth(canonical[rows], focal, height, width)
            predictions.append(Prediction(depth, focal, None if fov is None else fov_deg[rows], group))
        return predictions


def _first(batch: Prediction, *, has_fov: bool) -> Prediction:
    """The only image of a batch."""
    fov_deg = batch.fov_deg[0] if has_fov and batch.fov_deg is not None else None
    return Prediction(batch.metres[0], batch.focal_px[0], fov_deg, None if batch.rgb is None else batch.rgb[0])
