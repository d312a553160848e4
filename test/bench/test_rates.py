# SPDX-License-Identifier: Apache-2.0
"""Work of known size."""

from __future__ import annotations

import pytest
import torch

from depthpro_ros.bench.machine import floor
from depthpro_ros.bench.rates import FORMATS, Unsupported, convolution, copies, product
from depthpro_ros.bench.results import Figure


def test_a_product_has_two_operations_for_each_multiplication():
    assert product("float32", (64, 32, 16), "cpu").amount == 2 * 64 * 32 * 16


def test_the_convolution_s_operations_are_those_that_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    work = convolution(torch.float32, "cpu")
    with FlopCounterMode(display=False) as counter:
        work.action()
    assert work.amount == counter.get_total_flops()


def test_an_unknown_number_format_is_said_to_be_unsupported():
    with pytest.raises(Unsupported):
        product("float4", (64, 32, 16), "cpu")


def test_a_copy_counts_bytes_read_and_written():
    (host,) = copies("cpu")
    assert host.amount == 2 * 2**28


def test_the_floor_is_operations_by_rate():
    rate = Figure(500.0, 400.0, 800.0, 3, "GFLOP/s")
    assert floor(10**12, rate) == Figure(2000.0, 1250.0, 2500.0, 3, "ms")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("number_format", FORMATS)
def test_every_number_format_is_measured_or_refused_on_a_gpu(number_format):
    try:
        work = product(number_format, (512, 256, 256), "cuda")
    except Unsupported as error:
        assert str(error)
    else:
        assert isinstance(work.action(), torch.Tensor)
