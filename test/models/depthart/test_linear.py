# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from depthpro_ros.models.depthart.linear import LARGE, Linear, PackedLinear, can_pack


@pytest.fixture(scope="module")
def large() -> Linear:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(1024, LARGE // 1024, generator=generator) / 16
    return Linear(weight, torch.randn(1024, generator=generator))


def test_a_packed_layer_says_what_it_said_before(large: Linear) -> None:
    packed, x = large.packed(), torch.randn(2, 5, large.weight.shape[1])
    to = torch.randn(2, 9, 1024)[:, 4:]  # as the rows of a batch that are left over
    product = x @ large.weight.T + large.bias
    torch.testing.assert_close(packed(x), product, rtol=0, atol=1e-5)
    torch.testing.assert_close(packed.gelu(x), F.gelu(product, approximate="tanh"), rtol=0, atol=1e-5)
    torch.testing.assert_close(packed.added(x, to), to + product, rtol=0, atol=1e-5)


def test_large_layers_are_packed_where_torch_can_and_small_ones_never(large: Linear) -> None:
    assert isinstance(large.packed(), PackedLinear) is can_pack(torch.float32)
    small = Linear(large.weight[:-1], large.bias[:-1])
    assert small.packed() is small


def test_a_number_format_without_such_products_is_left_as_it_is(large: Linear) -> None:
    assert not can_pack(torch.float64)
    double = large.to(torch.float64)
    assert double.packed() is double
