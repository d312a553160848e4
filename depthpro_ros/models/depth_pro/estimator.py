# SPDX-License-Identifier: Apache-2.0
"""Depth Pro behind the Estimator interface."""

from __future__ import annotations

import torch

from depthpro_ros.models.depth_pro.network import DepthPro, focal_from_fov, metric_depth, normalise
from depthpro_ros.models.estimator import (
    EstimatorInfo,
    Focal,
    Prediction,
    Rgb,
    focal_list,
    image_batch,
)


class DepthProEstimator:
    """Runs a Depth Pro network on images of any size.

    Args:
        network: with its weights, in the precision and on the device that it is to run with.
        info: what to tell users about it.
    """

    def __init__(self, network: DepthPro, info: EstimatorInfo) -> None:
        self.network = network.eval()
        self.info = info
        weight = next(network.parameters())
        self.device, self.dtype = weight.device, weight.dtype

    @torch.inference_mode()
    def predict(self, rgb: Rgb, focal_px: Focal = None) -> Prediction:
        """See `Estimator.predict`. The field-of-view network runs only if a focal length is missing."""
        images, batched = image_batch(rgb, self.device)
        batch, height, width, _ = images.shape
        focals = focal_list(focal_px, batch)
        config = self.network.config
        want_fov = None in focals
        if want_fov and self.network.fov is None:
            raise ValueError(f"{self.info.name} has no field-of-view head: give focal_px")
        image = normalise(images, config.input_px, config.antialias).to(self.dtype)
        canonical, fov_deg = self.network(image.contiguous(memory_format=torch.channels_last), want_fov)
        given = torch.tensor([f or torch.nan for f in focals], dtype=torch.float32, device=self.device)
        if fov_deg is None:
            focal = given
        else:
            fov_deg = fov_deg.float()
            focal = torch.where(given.isnan(), focal_from_fov(fov_deg, width), given)
        depth = metric_depth(canonical, focal, height, width)
        if batched:
            return Prediction(depth, focal, fov_deg)
        return Prediction(depth[0], focal[0], None if fov_deg is None else fov_deg[0])
