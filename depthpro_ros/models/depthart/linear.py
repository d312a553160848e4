# SPDX-License-Identifier: Apache-2.0
"""Linear layers at inference, on a CPU with their weights laid out once as oneDNN wants them.

Coarse scales are a few tokens each. A product of few rows takes as long as reading its weight does, and longer where
the weight must be laid out anew each time, as in `F.linear`. Small weights stay in the cache, and are left as they are.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

LARGE = 2**18
"""Numbers of a weight from which on laying it out saves more than the longer call costs."""


@dataclass(frozen=True)
class Linear:
    """A linear layer's weight [out, in] and bias [out]."""

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def gelu(self, x: Tensor) -> Tensor:
        """The tanh form of GELU of the layer."""
        return F.gelu(self(x), approximate="tanh")

    def added(self, x: Tensor, to: Tensor) -> Tensor:
        """The layer's answer and something of the same shape."""
        return to + self(x)

    @classmethod
    def after_norm(cls, weight: Tensor, bias: Tensor, scale: Tensor, shift: Tensor) -> Linear:
        """The layer of (1 + scale) x + shift."""
        return Linear(weight * (1 + scale), bias + weight @ shift)

    @classmethod
    def before_gate(cls, weight: Tensor, bias: Tensor, gate: Tensor) -> Linear:
        """gate times the layer."""
        return Linear(gate[:, None] * weight, gate * bias)

    def to(self, dtype: torch.dtype) -> Linear:
        """The same in another number format."""
        return Linear(self.weight.to(dtype), self.bias.to(dtype))

    def packed(self) -> Linear:
        """The same with its weight laid out for this CPU; itself where that does not pay or torch cannot do it."""
        if self.weight.device.type != "cpu" or self.weight.numel() < LARGE or not can_pack(self.weight.dtype):
            return self
        return PackedLinear.of(self)


@dataclass(frozen=True)
class PackedLinear(Linear):
    """The same whose weight only oneDNN can read. GELU and sum are computed while the product is still in the cache."""

    def __call__(self, x: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise.default(x, self.weight, self.bias, "none", [], "")

    def gelu(self, x: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise.default(x, self.weight, self.bias, "gelu", [], "tanh")

    def added(self, x: Tensor, to: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise.binary(x, to, self.weight, self.bias, "add")

    @classmethod
    def of(cls, layer: Linear) -> PackedLinear:
        """Lay a layer's weight out."""
        return cls(torch.ops.mkldnn._reorder_linear_weight(layer.weight), layer.bias)


@functools.cache
def can_pack(dtype: torch.dtype) -> bool:
    """Whether this torch has such products: those that torch.compile makes use of, which are no public part of it."""
    if dtype not in (torch.float32, torch.bfloat16):
        return False
    layer = Linear(torch.ones(16, 16, dtype=dtype), torch.ones(16, dtype=dtype))
    x = torch.ones(1, 2, 16, dtype=dtype)
    try:
        packed = PackedLinear.of(layer)
        packed.gelu(x), packed.added(x, packed(x))
    except (AttributeError, RuntimeError):  # no such operation, or none for this processor
        return False
    return True
