# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from depthpro_ros.models.depthart.config import DEPTH_CODES, DepthCode
from depthpro_ros.models.depthart.relative import decode_depth, encode_depth, far_depth, fill_unknown


def test_far_depth_is_the_98th_percentile_of_what_is_known_and_finite() -> None:
    depth = torch.rand(2, 10, 12, generator=torch.Generator().manual_seed(0)) * 9 + 1
    valid = torch.ones(2, 10, 12, dtype=torch.bool)
    depth[0, 0] = torch.inf
    valid[1, 3:5] = False
    expected = [np.percentile(d[v & np.isfinite(d)], 98) for d, v in zip(depth.numpy(), valid.numpy(), strict=True)]
    np.testing.assert_allclose(far_depth(depth, valid).numpy(), expected, rtol=1e-6)


def test_linear_code_is_equation_9() -> None:
    depth = torch.tensor([[[0.0, 1.0, 2.5, 5.0, 7.0, math.inf]]])
    x = encode_depth(depth, torch.tensor([5.0]), "linear")
    torch.testing.assert_close(x, torch.tensor([[[-1.0, -0.6, 0.0, 1.0, 1.0, 1.0]]]), rtol=0, atol=1e-6)


def test_equal_ratios_of_depth_are_equal_steps_of_the_log_code() -> None:
    depth = torch.tensor([[[0.05, 0.5, 5.0]]])
    x = encode_depth(depth, torch.tensor([5.0]), "log")
    torch.testing.assert_close(x, torch.tensor([[[-1.0, 0.0, 1.0]]]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("code", DEPTH_CODES)
def test_decoding_inverts_encoding_up_to_the_percentile(code: DepthCode) -> None:
    relative = torch.linspace(0.012, 1.0, 100)[None, None]
    far = torch.tensor([13.0])
    torch.testing.assert_close(decode_depth(encode_depth(13 * relative, far, code), code), relative)


@pytest.mark.parametrize("code", DEPTH_CODES)
def test_scaling_depth_changes_nothing(code: DepthCode) -> None:
    depth = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(0)) + 0.1
    valid = torch.ones(1, 8, 8, dtype=torch.bool)
    codes = [encode_depth(s * depth, far_depth(s * depth, valid), code) for s in (1.0, 7.0)]
    torch.testing.assert_close(codes[0], codes[1], rtol=0, atol=1e-5)


def test_decoded_depth_is_never_zero() -> None:
    assert float(decode_depth(torch.tensor([-5.0]), "linear")) == pytest.approx(1e-3)


def test_unknown_pixels_take_the_mean_of_their_2x2_block_first() -> None:
    x = torch.arange(16.0).view(1, 4, 4)
    valid = torch.ones(1, 4, 4, dtype=torch.bool)
    valid[0, 0, 0] = False
    filled = fill_unknown(x, valid)
    assert float(filled[0, 0, 0]) == pytest.approx((1 + 4 + 5) / 3)
    assert torch.equal(filled[valid], x[valid])


def test_an_image_without_any_known_pixel_is_filled_with_zeros() -> None:
    assert torch.equal(
        fill_unknown(torch.full((1, 4, 4), 7.0), torch.zeros(1, 4, 4, dtype=torch.bool)).sum(), torch.tensor(0.0)
    )
