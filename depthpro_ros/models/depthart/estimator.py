# SPDX-License-Identifier: Apache-2.0
"""DepthART behind the Estimator interface: depth up to scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro.input import Uploader
from depthpro_ros.models.depthart.inference import Answer, DepthArtNetwork, RecordedDepthArt
from depthpro_ros.models.estimator import EstimatorInfo, Focal, Prediction, Rgb, check_image, focal_list


class DepthArtEstimator:
    """Runs a DepthART network on images of any size and aspect: squashed to a square, as it was trained, and restored.

    Args:
        network: on its device.
        info: what to tell users about it; `metric` is false.
        memory: `low` computes the images of a batch one by one.
        accelerate: `eager`, or `graphs`: CUDA graphs, where the decoding is `argmax`.
    """

    def __init__(
        self, network: DepthArtNetwork, info: EstimatorInfo, memory: str = "auto", accelerate: str = "eager"
    ) -> None:
        self.network, self.info = network, info
        self.device = network.device
        self._one_by_one = memory == "low"
        recorded = accelerate == "graphs" and network.decoding.decoding == "argmax"
        self._answer = RecordedDepthArt(network) if recorded else network
        self._upload = Uploader(self.device)

    @torch.inference_mode()
    def predict(self, rgb: Rgb, focal_px: Focal = None) -> Prediction:
        """See `Estimator.predict`. The focal length is only handed on."""
        batched = check_image(rgb, batches=True)
        images = self._upload(rgb)
        images = images if batched else images[None]
        prediction = self._run([images], focal_list(focal_px, len(images)))[0]
        return prediction if batched else _first(prediction)

    @torch.inference_mode()
    def predict_many(self, images: Sequence[NDArray[np.uint8]], focals_px: Sequence[float | None]) -> list[Prediction]:
        """See `Estimator.predict_many`."""
        for image in images:
            check_image(image, batches=False)
        focals = focal_list(list(focals_px), len(images))
        return [_first(p) for p in self._run([self._upload(image)[None] for image in images], focals)]

    @torch.inference_mode()
    def refinement(self, rgb: Rgb) -> Tensor:
        """Depth up to scale as it stands after every scale (arXiv 2409.15010, figure 4), the last is `predict`'s.

        Args:
            rgb: uint8 [H, W, 3].

        Returns:
            float32 [K, H, W].

        Raises:
            InputError: another shape or dtype, or a decoding of several rollouts.
        """
        check_image(rgb, batches=False)
        if self.network.decoding.decoding == "spread":
            raise InputError("decoding 'spread' makes several rollouts, whose scales belong to none: choose argmax")
        said = self.network.roll_out(self.network.squares(self._upload(rgb)[None]))
        self._check(said.finite)
        # one at a time: the decoder's memory is that of one image
        steps = torch.cat([self.network.relative(latent) for latent in said.latents])
        return _resized(steps, rgb.shape[0], rgb.shape[1])

    @property
    def scales(self) -> tuple[int, ...]:
        """Sides of the token maps, one for each step of `refinement`."""
        return self.network.config.tokenizer.scales

    @torch.inference_mode()
    def warm_up(self, cameras: int = 1) -> None:
        """Let a GPU choose its kernels and record its graphs before the first frame, for batches up to so many."""
        if self.device.type != "cuda":
            return
        black = np.zeros((48, 64, 3), np.uint8)
        for count in range(1, cameras + 1):
            self.predict_many([black] * count, [None] * count)
        torch.cuda.synchronize(self.device)

    def _run(self, groups: Sequence[Tensor], focals: list[float | None]) -> list[Prediction]:
        """One pass over groups of images [b, H, W, 3], each of one size; a prediction for each group."""
        if not groups:
            return []
        squares = torch.cat([self.network.squares(group) for group in groups])
        if self._one_by_one and len(squares) > 1:
            answers = [Answer(*(t.clone() for t in self._answer(squares[i : i + 1]))) for i in range(len(squares))]
            relative, spread = (torch.cat(parts) for parts in list(zip(*answers, strict=True))[:2])
            answer = Answer(relative, spread, torch.stack([a.finite for a in answers]).all())
        else:
            answer = self._answer(squares)
        self._check(answer.finite)
        focal = torch.tensor([torch.nan if f is None else f for f in focals], dtype=torch.float32, device=self.device)
        spreads = self.network.decoding.decoding == "spread"
        predictions, first = [], 0
        for group in groups:
            rows = slice(first, first + len(group))
            first += len(group)
            _, height, width, _ = group.shape
            predictions.append(
                Prediction(
                    depth_m=None,
                    focal_px=focal[rows],
                    fov_deg=None,
                    rgb=group,
                    relative_depth=_resized(answer.relative[rows], height, width),
                    relative_spread=_resized(answer.spread[rows], height, width) if spreads else None,
                )
            )
        return predictions

    def _check(self, finite: Tensor) -> None:
        if not bool(finite):
            raise InputError(
                f"{self.info.name} says NaN or infinity for this image in {self.info.precision}: choose precision "
                "float32; if it does so there too, its weights are damaged"
            )


def _resized(maps: Tensor, height: int, width: int) -> Tensor:
    """[N, S, S] to [N, height, width], bilinear; a copy where there is nothing to resize."""
    if maps.shape[-2:] == (height, width):
        return maps.clone()
    return F.interpolate(maps[:, None], (height, width), mode="bilinear", align_corners=False)[:, 0]


def _first(batch: Prediction) -> Prediction:
    """The only image of a batch."""
    assert batch.relative_depth is not None and batch.rgb is not None
    return Prediction(
        depth_m=None,
        focal_px=batch.focal_px[0],
        fov_deg=None,
        rgb=batch.rgb[0],
        relative_depth=batch.relative_depth[0],
        relative_spread=None if batch.relative_spread is None else batch.relative_spread[0],
    )
