# SPDX-License-Identifier: Apache-2.0
"""Linear layers in eight bits."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro.inference.quantised import (
    Fp8Linear,
    Int8Linear,
    check_quantisation,
    quantise,
)
from test.models.depth_pro.small import images, merged, original


def layer_and_input(rows: int = 64) -> tuple[nn.Linear, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(48, 40).requires_grad_(False)
    layer.weight.copy_(torch.randn(40, 48, generator=generator))
    layer.bias.copy_(torch.randn(40, generator=generator))
    # tokens of very different sizes, as in a transformer
    sizes = torch.logspace(-2, 2, rows)[:, None]
    return layer, torch.randn(rows, 48, generator=generator) * sizes


def test_int8_products_are_sums_of_whole_numbers() -> None:
    """Inputs that int8 holds exactly come out exactly."""
    layer = nn.Linear(16, 8).requires_grad_(False)
    layer.weight.copy_(torch.randint(-127, 128, (8, 16)).float())
    layer.weight[:, 0] = 127
    x = torch.randint(-127, 128, (32, 16)).float()
    x[:, 0] = -127
    torch.testing.assert_close(Int8Linear(layer)(x), layer(x), rtol=1e-6, atol=1e-3)


def test_int8_error_is_that_of_rounding() -> None:
    """Each product's error is at most half a step of either factor."""
    layer, x = layer_and_input()
    step_x = x.abs().amax(1, keepdim=True) / 127
    step_w = layer.weight.abs().amax(1) / 127
    bound = 0.5 * (step_x * layer.weight.abs().sum(1) + x.abs().sum(1, keepdim=True) * step_w + 24 * step_x * step_w)
    error = (Int8Linear(layer)(x) - layer(x)).abs()
    assert (error <= bound * 1.001 + 1e-6).all()
    assert error.max() > 0


def test_shape_and_format_are_kept() -> None:
    layer, x = layer_and_input()
    out = Int8Linear(layer.to(torch.bfloat16))(x.to(torch.bfloat16).view(4, 16, 48))
    assert out.shape == (4, 16, 40)
    assert out.dtype == torch.bfloat16


def test_a_network_in_int8_is_near_the_exact_one() -> None:
    network, rgb = original(dtype=torch.float32), images(1).float()
    exact, rough = merged(network), merged(network)
    for transformer in (rough.patch_encoder, rough.image_encoder):
        quantise(transformer, "int8")
    with torch.inference_mode():
        expected, _ = exact(rgb, False)
        canonical, _ = rough(rgb, False)
    change = ((canonical - expected).abs() / expected.clamp_min(0.1)).mean()
    assert 0 < change < 0.02


def test_fp8_is_refused_where_there_is_none() -> None:
    with pytest.raises(InputError, match="fp8.*compute capability 8.9.*int8"):
        check_quantisation("fp8", torch.device("cpu"))


def test_unknown_quantisation() -> None:
    with pytest.raises(InputError, match="int4.*off, int8, fp8"):
        check_quantisation("int4", torch.device("cpu"))


def fp8_error(device: str, dtype: torch.dtype) -> float:
    layer, x = layer_and_input()
    layer, x = layer.to(device, dtype), x.to(device, dtype)
    expected = layer(x).float()
    return float((Fp8Linear(layer)(x).float() - expected).norm() / expected.norm())


def test_fp8_error_is_that_of_three_bits() -> None:
    """e4m3 rounds by at most 2^-4; of many products' sum less remains."""
    assert 2**-8 < fp8_error("cpu", torch.float32) < 2**-4


@pytest.mark.gpu
@pytest.mark.skipif(
    not torch.cuda.is_available() or torch.cuda.get_device_capability() < (8, 9), reason="no GPU with fp8 products"
)
def test_fp8_on_a_gpu() -> None:
    assert 2**-8 < fp8_error("cuda", torch.float16) < 2**-4
