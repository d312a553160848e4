# SPDX-License-Identifier: Apache-2.0
"""The merged network is the same function as the one that is trained."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.encoder import merge, split
from depthpro_ros.models.depth_pro.inference import STAGES, UNLIMITED, MemoryBudget, MergedDepthPro, budget
from depthpro_ros.models.depth_pro.inference import network as inference_network
from depthpro_ros.models.depth_pro.inference.resampling import EnlargingConv, bordered_conv, compose
from test.models.depth_pro.small import SMALL, TINY, images, merged, original

EXACT = 1e-10
CONFIGS = {
    "two hooks": SMALL,
    "one hook": replace(SMALL, hooks=(1,), latent_dims=(20,)),
    "three hooks": replace(TINY, hooks=(0, 1, 2), latent_dims=(16, 16, 12)),
    "wide levels": replace(TINY, latent_dims=(40, 12), pyramid_dims=(64, 16, 48)),
    "odd overlap": replace(SMALL, window_px=96, hooks=(1,), latent_dims=(20,)),
}
BUDGETS = {"whole": UNLIMITED, "some windows, some strips": MemoryBudget(300_000, 100_000), "least": MemoryBudget(1, 1)}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_equal_in_float64(config: DepthProConfig) -> None:
    network = original(config)
    rgb = images(2, config)
    with torch.inference_mode():
        expected, expected_fov = network(rgb / 127.5 - 1)
        canonical, fov = merged(network)(rgb)
    assert (expected > 0).double().mean() > 0.9
    assert expected.std() > 0.05
    torch.testing.assert_close(canonical, expected, rtol=EXACT, atol=EXACT)
    torch.testing.assert_close(fov, expected_fov, rtol=EXACT, atol=EXACT)


@pytest.fixture(scope="module")
def expected() -> torch.Tensor:
    """What the original says of two images."""
    with torch.inference_mode():
        return original()(images(2) / 127.5 - 1)[0]


@pytest.mark.parametrize("limit", BUDGETS.values(), ids=BUDGETS)
def test_equal_under_every_budget(expected: torch.Tensor, limit: MemoryBudget) -> None:
    fast = merged(original())
    fast.budget = limit
    with torch.inference_mode():
        canonical, _ = fast(images(2))
    torch.testing.assert_close(canonical, expected, rtol=EXACT, atol=EXACT)


def test_strips_without_their_halo_differ_at_their_edges(
    expected: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The strips are real, and what the halo is for is seen where they meet."""
    fast = merged(original())
    fast.budget = MemoryBudget(1 << 30, 1)
    monkeypatch.setattr(inference_network, "FINEST_REACH", 0)
    with torch.inference_mode():
        canonical, _ = fast(images(1))
    # the least strip is 8 rows of the finest map, 16 of the output
    strips = (canonical - expected[:1]).abs().amax((0, 1, 3)).view(-1, 16)
    assert (strips[1:-1, 0] > 1e-6).all() and (strips[1:-1, -1] > 1e-6).all()


def test_float16_weights_are_merged_in_float32() -> None:
    """Computed in float32 from float16 weights, merged and unmerged agree to float32's rounding."""
    network = original(dtype=torch.float16)
    rgb = images(1).float()
    with torch.inference_mode():
        canonical, fov = merged(network, torch.float32)(rgb)
        expected, expected_fov = network.float()(rgb / 127.5 - 1)
    torch.testing.assert_close(canonical, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(fov, expected_fov, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_low_precision_is_no_worse_than_of_the_original(dtype: torch.dtype) -> None:
    network, rgb = original(dtype=torch.float32), images(1).float()
    fast = merged(network, dtype)
    with torch.inference_mode():
        exact, _ = network(rgb / 127.5 - 1)
        plain, _ = network.to(dtype)((rgb / 127.5 - 1).to(dtype))
        canonical, _ = fast((rgb * fast.input_scale).to(dtype))
    error = (canonical.float() - exact).abs().mean() / exact.abs().mean()
    plain_error = (plain.float() - exact).abs().mean() / exact.abs().mean()
    assert 0 < error < 1.5 * plain_error


def test_fov_of_some_images_only() -> None:
    network, rgb = original(TINY), images(3, TINY)
    with torch.inference_mode():
        _, expected = network(rgb / 127.5 - 1)
        _, fov = merged(network)(rgb, [0, 2])
        _, none = merged(network)(rgb, False)
    torch.testing.assert_close(fov, expected[[0, 2]], rtol=EXACT, atol=EXACT)
    assert none is None


def test_stages_are_marked_in_order() -> None:
    seen: list[str] = []
    with torch.inference_mode():
        merged(original(TINY))(images(1, TINY), True, seen.append)
    assert tuple(seen) == STAGES


def test_merging_takes_the_originals_transformers_away() -> None:
    """Memory holds the weights once: the original's blocks are gone."""
    network = original(TINY)
    MergedDepthPro(network, torch.float64)
    assert not any(isinstance(m, nn.Linear) for m in network.encoder.patch_encoder.blocks.modules())


def test_reduced_resolution_runs_on_its_own_input_size() -> None:
    network = original()
    small = merged(network, window_px=32)
    config = small.config
    assert (config.input_px, config.output_px) == (128, 256)
    with torch.inference_mode():
        canonical, fov = small(images(2, config))
    assert canonical.shape == (2, 1, 256, 256)
    assert fov is not None and fov.shape == (2,)


def test_reduced_resolution_of_a_constant_image_keeps_its_depth() -> None:
    """With position embeddings that are the same everywhere, a constant image looks alike at every size."""
    network = original()
    for vit in (network.encoder.patch_encoder, network.encoder.image_encoder):
        vit.pos_embed[:, 1:] = vit.pos_embed[:, 1:2]
    grey = torch.full((1, 3, 256, 256), 99.0, dtype=torch.float64)
    with torch.inference_mode():
        full, _ = merged(network)(grey)
        half, _ = merged(network, window_px=32)(grey[..., :128, :128])
    # away from the border, whose padding differs; the class token has a larger share in the attention of fewer tokens
    torch.testing.assert_close(half[..., 120:136, 120:136], full[..., 248:264, 248:264], rtol=5e-3, atol=0)


@pytest.mark.parametrize("grid", [8, 12])
def test_windows_of_a_map_are_put_back(grid: int) -> None:
    """split and merge are inverse for windows whose tokens are their pixels, also where the overlap is odd."""
    for steps, stride in ((5, 3 * grid // 4), (3, grid // 2)):
        side = grid + (steps - 1) * stride
        whole = torch.arange(2 * side * side).view(2, 1, side, side)
        windows = split(whole, grid, steps).permute(0, 2, 3, 1)
        assert torch.equal(merge(windows, 2, steps, grid - stride), whole)


class TestLayers:
    def test_compose(self) -> None:
        first = nn.ConvTranspose2d(5, 4, 2, stride=2, bias=False).double()
        second = nn.ConvTranspose2d(4, 3, 2, stride=2, bias=False).double()
        x = torch.randn(1, 5, 6, 7, dtype=torch.float64)
        both = F.conv_transpose2d(x, compose(first.weight, second.weight), stride=4)
        torch.testing.assert_close(both, second(first(x)), rtol=EXACT, atol=EXACT)

    def test_bias_at_the_border_of_a_pointwise_and_a_convolution(self) -> None:
        pointwise, conv = nn.Conv2d(5, 4, 1).double(), nn.Conv2d(4, 3, 3, padding=1).double()
        x = torch.randn(2, 5, 6, 7, dtype=torch.float64)
        with torch.no_grad():
            torch.testing.assert_close(bordered_conv(pointwise, conv)(x), conv(pointwise(x)), rtol=EXACT, atol=EXACT)

    def test_a_constant_bias_would_be_wrong_at_the_border(self) -> None:
        pointwise, conv = nn.Conv2d(1, 1, 1).double(), nn.Conv2d(1, 1, 3, padding=1, bias=False).double()
        with torch.no_grad():
            answer = conv(pointwise(torch.zeros(1, 1, 5, 5, dtype=torch.float64)))[0, 0]
        assert answer[2, 2] != answer[0, 2]

    def test_enlarging_conv(self) -> None:
        deconv, conv = nn.ConvTranspose2d(5, 4, 2, stride=2).double(), nn.Conv2d(4, 3, 3, padding=1).double()
        x = torch.randn(2, 5, 6, 7, dtype=torch.float64)
        with torch.no_grad():
            once = EnlargingConv(deconv.weight, conv.weight, lambda z: conv(deconv(z)))
            torch.testing.assert_close(once(x), conv(deconv(x)), rtol=EXACT, atol=EXACT)


class TestBudget:
    FULL = DepthProConfig()

    def test_low_needs_less_than_auto(self) -> None:
        for device in ("cpu", "cuda"):
            auto, low = (budget(m, torch.device(device)) for m in ("auto", "low"))
            for dtype in (torch.float16, torch.float32):
                assert low.windows_at_once(self.FULL, dtype) < auto.windows_at_once(self.FULL, dtype)
                assert low.strips(self.FULL, 1, dtype)[0] > auto.strips(self.FULL, 1, dtype)[0]

    def test_a_gpu_takes_all_windows_of_one_image_at_once(self) -> None:
        assert budget("auto", torch.device("cuda")).windows_at_once(self.FULL, torch.float16) >= 35

    def test_strips_grow_with_the_batch(self) -> None:
        limit = budget("auto", torch.device("cuda"))
        one, four = (limit.strips(self.FULL, batch, torch.float16)[0] for batch in (1, 4))
        assert four == pytest.approx(4 * one, abs=4)
        # 256 maps of 768 x 768 in float16 are 302 MB
        assert one == -(-256 * 768 * 768 * 2 // limit.map)
