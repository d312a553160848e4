# SPDX-License-Identifier: Apache-2.0
"""The model as it answers images: only what inference needs, in the number format of its device."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor

from depthpro_ros.models.depth_pro.inference.graphs import Graphs
from depthpro_ros.models.depthart.autoencoder import merge_upsampling
from depthpro_ros.models.depthart.folded import FoldedTransformer
from depthpro_ros.models.depthart.network import DepthArt, square
from depthpro_ros.models.depthart.relative import decode_depth
from depthpro_ros.models.depthart.rollout import Rollout, chooser, roll_out
from depthpro_ros.models.depthart.sampling import DecodingSettings
from depthpro_ros.models.depthart.transformer import image_inputs


class Answer(NamedTuple):
    """What the model says of a batch of images.

    Attributes:
        relative: float32 [B, S, S], depth over its 98th percentile.
        spread: float32 [B, S, S], relative standard deviation over several rollouts; zeros where there was one.
        finite: bool [], whether all logits were finite numbers.
    """

    relative: Tensor
    spread: Tensor
    finite: Tensor


class DepthArtNetwork:
    """Image squares to depth up to scale.

    Args:
        model: on its device, in any number format. What only training needs is not kept.
        dtype: number format of the transformer and of the tokenizer's convolutions; the quantiser and the transformer's
            head compute in float32.
        decoding: how codes are chosen.
        consume: the model gives its weights away: afterwards it is empty. Saves memory while it is made ready.
    """

    def __init__(
        self, model: DepthArt, dtype: torch.dtype, decoding: DecodingSettings, *, consume: bool = False
    ) -> None:
        self.config, self.dtype, self.decoding = model.config, dtype, decoding
        self.transformer = FoldedTransformer(model.transformer, dtype, pack=True, consume=consume)
        tokenizer = model.tokenizer
        self.quantiser = copy.deepcopy(tokenizer.quantize).float()
        self._before_decoder = _cast(tokenizer.post_quant_conv, dtype)
        decoder = copy.deepcopy(tokenizer.decoder).float()
        if consume:
            tokenizer.decoder.to("meta")
        with torch.no_grad():
            merge_upsampling(decoder)
        self._decoder = _in_format(decoder, dtype)
        tokens = self.config.transformer.prefix == "tokens"
        self._encoder = _cast(tokenizer.encoder if tokens else model.transformer.encoder, dtype)
        self._after_encoder = _cast(tokenizer.quant_conv, dtype) if tokens else None
        if consume:
            model.to("meta")
        self._choose = chooser(self.quantiser, decoding, self.device) if decoding.decoding == "argmax" else None

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.transformer.device

    @property
    def side_px(self) -> int:
        """Side of the squares that it sees."""
        t = self.config.transformer
        return t.encoder_px if t.prefix == "encoder" else self.config.tokenizer.image_px

    def squares(self, rgb: Tensor) -> Tensor:
        """Images uint8 [B, H, W, 3] as it takes them, [B, 3, side, side]."""
        return square(rgb, self.side_px).to(self.dtype, memory_format=torch.channels_last)

    def features(self, squares: Tensor) -> Tensor:
        """See `RefinementTransformer.prefix`."""
        if self._after_encoder is None:
            tokens, _ = self._encoder(squares)
            return tokens[:, 1:]
        latent = self._after_encoder(self._encoder(squares)).float()
        return image_inputs(self.quantiser, latent, smooth=self.config.transformer.smooth_prefix)

    def roll_out(self, squares: Tensor, *, want_entropy: bool = False) -> Rollout:
        """All scales of a batch; for `spread` as many rollouts of each image, one after another."""
        prefix = self.transformer.prefix(self.features(squares))
        if self.decoding.decoding == "spread":
            prefix = prefix.repeat_interleave(self.decoding.samples, dim=0)
        choose = self._choose or chooser(self.quantiser, self.decoding, self.device)
        return roll_out(self.transformer, self.quantiser, prefix, choose, want_entropy=want_entropy)

    def relative(self, latent: Tensor) -> Tensor:
        """Latents [N, C, s, s] to depth over its 98th percentile, float32 [N, S, S]."""
        image = self._decoder(self._before_decoder(latent.to(self.dtype, memory_format=torch.channels_last)))
        return decode_depth(image.float().mean(1), self.config.depth_code)

    def __call__(self, squares: Tensor) -> Answer:
        """Answer a batch.

        Args:
            squares: from `squares`.
        """
        said = self.roll_out(squares)
        relative = self.relative(said.latents[-1])
        if self.decoding.decoding != "spread":
            return Answer(relative, torch.zeros_like(relative), said.finite)
        each = relative.view(len(squares), self.decoding.samples, *relative.shape[1:])
        mean = each.mean(1)
        return Answer(mean, each.std(1, correction=0) / mean, said.finite)


class RecordedDepthArt:
    """A network whose passes are recorded as CUDA graphs: all scales are one launch.

    Args:
        network: whose codes are the likeliest; draws need a generator, which a recording cannot start anew.
    """

    def __init__(self, network: DepthArtNetwork) -> None:
        self._network = network
        self._graphs = Graphs(self._pass)

    def __call__(self, squares: Tensor) -> Answer:
        """See `DepthArtNetwork`. What it returns is overwritten by the next call."""
        relative, finite = self._graphs(squares, False)
        assert finite is not None
        return Answer(relative, torch.zeros_like(relative), finite)

    def _pass(self, squares: Tensor, unused: object) -> tuple[Tensor, Tensor]:
        answer = self._network(squares)
        return answer.relative, answer.finite


def _cast(module: torch.nn.Module, dtype: torch.dtype) -> torch.nn.Module:
    return _in_format(copy.deepcopy(module), dtype)


def _in_format(module: torch.nn.Module, dtype: torch.dtype) -> torch.nn.Module:
    """Itself, converted."""
    module.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module
