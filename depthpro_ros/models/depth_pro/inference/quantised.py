# SPDX-License-Identifier: Apache-2.0
"""Linear layers in eight bits: approximate, faster where the hardware multiplies such numbers.

Weights have one scale for each output, activations one for each token, both symmetric and found from the largest
magnitude; activations are scaled as they come. Only the transformers' products are done so: two thirds of all work.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro.inference.transformer import MergedTransformer

QUANTISATIONS = ("off", "int8", "fp8")
FP8 = torch.float8_e4m3fn
FP8_CAPABILITY = (8, 9)
"""Least CUDA compute capability that multiplies fp8: Ada."""
_TINY = 1e-12


class EightBitLinear(nn.Module):
    """A linear layer whose weight is kept in eight bits.

    Args:
        layer: the original.
    """

    largest: float
    format: torch.dtype

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.dtype = layer.weight.dtype
        weight, scale = self._quantise(layer.weight.float())
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale.flatten())
        self.bias = layer.bias

    weight: Tensor
    scale: Tensor

    def _quantise(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Rows in eight bits, and each row's scale [rows, 1], float32."""
        scale = rows.abs().amax(-1, keepdim=True).float().clamp_min_(_TINY).div_(self.largest)
        return self._cast(rows / scale), scale

    def _cast(self, rows: Tensor) -> Tensor:
        return rows.to(self.format)

    def forward(self, x: Tensor) -> Tensor:
        """[..., in] to [..., out]."""
        rows, scale = self._quantise(x.reshape(-1, x.shape[-1]))
        return self._multiply(rows, scale).view(*x.shape[:-1], -1)

    def _multiply(self, rows: Tensor, scale: Tensor) -> Tensor:
        raise NotImplementedError


class Int8Linear(EightBitLinear):
    """int8 times int8, summed in int32."""

    largest = 127.0
    format = torch.int8

    def _cast(self, rows: Tensor) -> Tensor:
        return rows.round_().to(torch.int8)

    def _multiply(self, rows: Tensor, scale: Tensor) -> Tensor:
        product = torch._int_mm(rows, self.weight.t()).float()
        product.mul_(scale).mul_(self.scale)
        if self.bias is not None:
            product.add_(self.bias)
        return product.to(self.dtype)


class Fp8Linear(EightBitLinear):
    """fp8 (e4m3) times fp8, summed in float32."""

    largest = 448.0
    format = FP8

    def _multiply(self, rows: Tensor, scale: Tensor) -> Tensor:
        # scales for each row want bfloat16 as the result
        product = torch._scaled_mm(
            rows, self.weight.t(), scale_a=scale, scale_b=self.scale[None, :], out_dtype=torch.bfloat16
        ).to(self.dtype)
        return product if self.bias is None else product.add_(self.bias)


def quantise(transformer: MergedTransformer, quantisation: str) -> None:
    """Replace the linear layers of all blocks, in place.

    Args:
        quantisation: `int8` or `fp8`.
    """
    layer_type = {"int8": Int8Linear, "fp8": Fp8Linear}[quantisation]
    for block in transformer.blocks:
        for name in ("qkv", "proj", "fc1", "fc2"):
            setattr(block, name, layer_type(getattr(block, name)))


def check_quantisation(quantisation: str, device: torch.device) -> None:
    """Refuse what this device cannot do.

    Raises:
        InputError: unknown, or no such products here.
    """
    if quantisation not in QUANTISATIONS:
        raise InputError(f"quantise {quantisation!r} is unknown: choose {', '.join(QUANTISATIONS)}")
    if quantisation == "fp8":
        capability = torch.cuda.get_device_capability(device) if device.type == "cuda" else None
        if capability is None or capability < FP8_CAPABILITY:
            here = "a CPU" if capability is None else f"compute capability {capability[0]}.{capability[1]}"
            raise InputError(f"quantise 'fp8' needs a GPU of compute capability 8.9 or later, this is {here}: try int8")
