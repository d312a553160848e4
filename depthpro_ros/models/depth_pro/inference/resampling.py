# SPDX-License-Identifier: Apache-2.0
"""Convolutions that enlarge a map, merged with their linear neighbours. Maps are stored channels-last.

Nothing but linear layers stands between a transformer's tokens and the decoder's first ReLU, and between the
decoder and the head's first ReLU. So they can be multiplied out once, when the network is loaded:

- transposed convolutions whose kernel is their stride are one matrix product and a rearrangement, and a chain of
  them is one such product (`Enlarge`);
- a transposed 2x2 convolution followed by a 3x3 one is, for each of the four pixels that a cell becomes, a 2x2
  convolution of the small map (`EnlargingConv`): 4/9 of the products, and the large map between is never made.

What a bias becomes is not constant: a 3x3 convolution pads the map that it sees with zeros, not with that map's
bias. It differs on the outermost rows and columns (`BorderedConv`), and is read off the response of the original
layers to an input of zeros.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_PROBE = 4
"""Side of the map of zeros: large enough to have an inside."""

Layers = Callable[[Tensor], Tensor]


def compose(first: Tensor, second: Tensor) -> Tensor:
    """Weight of one transposed convolution for two in a row, each with its kernel as its stride.

    Args:
        first: [in, mid, k, k]; `second`: [mid, out, l, l].

    Returns:
        [in, out, k l, k l].
    """
    (dim_in, _, k, _), (_, dim_out, m, _) = first.shape, second.shape
    product = torch.einsum("imab,mocd->ioacbd", first, second)
    return product.reshape(dim_in, dim_out, k * m, k * m)


def after_pointwise(pointwise: Tensor, deconvolution: Tensor) -> Tensor:
    """Weight of a transposed convolution [in, out, k, k] that a 1x1 convolution [mid, in, 1, 1] comes before."""
    return torch.einsum("mi,mokl->iokl", pointwise[..., 0, 0], deconvolution)


def before_pointwise(deconvolution: Tensor, pointwise: Tensor) -> Tensor:
    """Weight of a transposed convolution [in, mid, k, k] that a 1x1 convolution [out, mid, 1, 1] comes after."""
    return torch.einsum("imkl,om->iokl", deconvolution, pointwise[..., 0, 0])


class Enlarge(nn.Module):
    """A transposed convolution whose kernel is its stride, as a matrix product.

    Args:
        weight: [in, out, k, k], as `nn.ConvTranspose2d` has it.
        bias: [out], or None.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        self.dim, self.factor = weight.shape[1], weight.shape[2]
        self.weight = _constant(weight.permute(2, 3, 1, 0).reshape(-1, weight.shape[0]))
        self.bias = None if bias is None else _constant(bias.repeat(self.factor**2))

    def forward(self, x: Tensor) -> Tensor:
        """[B, in, h, w] to [B, out, k h, k w]."""
        batch, _, height, width = x.shape
        cells = F.linear(x.permute(0, 2, 3, 1), self.weight, self.bias)
        cells = cells.view(batch, height, width, self.factor, self.factor, self.dim).transpose(2, 3)
        return cells.reshape(batch, height * self.factor, width * self.factor, self.dim).permute(0, 3, 1, 2)


class BorderedConv(nn.Module):
    """A convolution whose bias differs on the outermost rows and columns.

    Args:
        weight: [out, in, k, k].
        padding: zeros around the input.
        response: [out, n, n], what it has to return for an input of zeros; n is at least 3. None for nothing.
    """

    def __init__(self, weight: Tensor, padding: int, response: Tensor | None) -> None:
        super().__init__()
        self.padding = padding
        self.weight = _constant(weight.contiguous(memory_format=torch.channels_last))
        inside = None if response is None else response[:, 1, 1].clone()
        self.bias = None if inside is None else _constant(inside)
        self.bordered = response is not None and bool((response != response[:, 1:2, 1:2]).any())
        if response is not None and inside is not None and self.bordered:
            rows = response[:, :: _last(response), 1:2] - inside[:, None, None]
            columns = response[:, 1:2, :: _last(response)] - inside[:, None, None]
            corners = response[:, :: _last(response), :: _last(response)] - inside[:, None, None] - rows - columns
            self.rows, self.columns, self.corners = _constant(rows), _constant(columns), _constant(corners)

    def forward(self, x: Tensor) -> Tensor:
        """[B, in, h, w] to [B, out, h', w']."""
        y = F.conv2d(x, self.weight, self.bias, padding=self.padding)
        if self.bordered:
            down, across = y.shape[2] - 1, y.shape[3] - 1
            y[:, :, ::down].add_(self.rows)
            y[:, :, :, ::across].add_(self.columns)
            y[:, :, ::down, ::across].add_(self.corners)
        return y


def bordered_conv(pointwise: nn.Conv2d, conv: nn.Conv2d) -> BorderedConv:
    """A 1x1 convolution and the 3x3 one after it, as one 3x3 convolution."""
    weight = torch.einsum("omyx,mi->oiyx", conv.weight, pointwise.weight[..., 0, 0])
    return BorderedConv(weight, 1, response(lambda x: conv(pointwise(x)), pointwise.weight))


class EnlargingConv(nn.Module):
    """A transposed 2x2 convolution of stride 2 and the 3x3 convolution after it, as one 2x2 convolution.

    Of the map padded by one cell, output cell (p, q) of group (a, b) sees cells p - 1, p and q - 1, q. Pixel
    (2 i + a, 2 j + b) of the enlarged map is group (a, b) at (i + a, j + b).

    Args:
        deconvolution: [in, mid, 2, 2], as `nn.ConvTranspose2d` has it.
        conv: [out, mid, 3, 3].
        layers: the original layers, asked for their answer to zeros; None where they have no bias.
    """

    def __init__(self, deconvolution: Tensor, conv: Tensor, layers: Layers | None = None) -> None:
        super().__init__()
        self.dim = conv.shape[0]
        weight = deconvolution.new_zeros(2, 2, self.dim, deconvolution.shape[0], 2, 2)
        for a, b, y, x in ((a, b, y, x) for a in (0, 1) for b in (0, 1) for y in range(3) for x in range(3)):
            # where the tap lands in the enlarged map, from this cell's first pixel: -1 to 2
            down, across = a + y - 1, b + x - 1
            tap = torch.einsum("om,im->oi", conv[:, :, y, x], deconvolution[:, :, down % 2, across % 2])
            weight[a, b, :, :, down // 2 + 1 - a, across // 2 + 1 - b] += tap
        answer = None if layers is None else _by_group(response(layers, deconvolution.transpose(0, 1)))
        self.conv = BorderedConv(weight.flatten(0, 2), 1, answer)

    def forward(self, x: Tensor) -> Tensor:
        """[B, in, h, w] to [B, out, 2 h, 2 w]."""
        return interleave(self.conv(x))


def interleave(groups: Tensor) -> Tensor:
    """The pixels of the four groups in their places: [B, 4 C, h + 1, w + 1] to [B, C, 2 h, 2 w]."""
    batch, dim, height, width = groups.shape
    dim, height, width = dim // 4, height - 1, width - 1
    cells = groups.permute(0, 2, 3, 1)
    out = groups.new_empty(batch, height, 2, width, 2, dim)
    for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        first = (2 * a + b) * dim
        out[:, :, a, :, b] = cells[:, a : a + height, b : b + width, first : first + dim]
    return out.view(batch, 2 * height, 2 * width, dim).permute(0, 3, 1, 2)


def _by_group(answer: Tensor) -> Tensor:
    """Enlarged map [out, 2 n, 2 n] as the groups of `EnlargingConv` see it, [4 out, n + 1, n + 1].

    Each group leaves one row and one column of the padded map unused; there it repeats its neighbour.
    """
    groups = []
    for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        pad = (b, 1 - b, a, 1 - a)
        groups.append(F.pad(answer[None, :, a::2, b::2], pad, mode="replicate")[0])
    return torch.cat(groups)


def response(layers: Layers, like: Tensor) -> Tensor:
    """What layers return for zeros: [out, n, n].

    Args:
        like: [any, in, ...], weight that gives the channels and number format of the input.
    """
    zeros = like.new_zeros(1, like.shape[1], _PROBE, _PROBE)
    return layers(zeros)[0]


def _last(square: Tensor) -> int:
    return square.shape[-1] - 1


def _constant(tensor: Tensor) -> nn.Parameter:
    return nn.Parameter(tensor.detach(), requires_grad=False)
