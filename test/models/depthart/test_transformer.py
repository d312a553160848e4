# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
from torch import Tensor

from depthpro_ros.models.depthart.folded import FoldedBlock, FoldedTransformer
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.rollout import chooser, roll_out
from depthpro_ros.models.depthart.sampling import DecodingSettings
from test.models.depthart.conftest import CONFIGS, random_model

CPU = torch.device("cpu")
FIRST = (0, 1, 5, 21)
"""Where the scales 1, 2, 4 begin, and their end."""


def _cached(model: DepthArt, features: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Logits of a rollout with the cache, and the inputs it gave itself."""
    folded, seen = FoldedTransformer(model.transformer, torch.float32), []
    likeliest = chooser(model.tokenizer.quantize, DecodingSettings(), CPU)

    def watch(scale: int, logits: Tensor) -> tuple[Tensor, Tensor]:
        seen.append(logits)
        return likeliest(scale, logits)

    said = roll_out(folded, model.tokenizer.quantize, folded.prefix(features), watch)
    return torch.cat(seen, dim=1), said.inputs


def test_masked_forward_equals_cached_forward(model: DepthArt, rgb: Tensor) -> None:
    features = model.features(rgb)
    cached, inputs = _cached(model, features)
    masked = model.transformer(model.transformer.prefix(features), inputs)
    assert masked.abs().max() > 0.5  # else nothing would be compared
    torch.testing.assert_close(cached, masked, rtol=0, atol=1e-5)


def test_a_scale_says_the_same_whatever_finer_scales_are_given(model: DepthArt, rgb: Tensor) -> None:
    transformer, features = model.transformer, model.features(rgb)
    inputs = [torch.randn(2, 4, 8), torch.randn(2, 16, 8)]
    prefix = transformer.prefix(features)
    first = transformer(prefix, inputs)
    second = transformer(prefix, [inputs[0], inputs[1] + 1])
    assert torch.equal(first[:, : FIRST[2]], second[:, : FIRST[2]])
    assert not torch.allclose(first[:, FIRST[2] :], second[:, FIRST[2] :])


def test_all_tokens_of_a_scale_see_each_other(model: DepthArt, rgb: Tensor) -> None:
    transformer, prefix = model.transformer, model.transformer.prefix(model.features(rgb))
    inputs = [torch.randn(2, 4, 8), torch.randn(2, 16, 8)]
    changed = [inputs[0].clone(), inputs[1]]
    changed[0][:, 3] += 1
    difference = (transformer(prefix, inputs) - transformer(prefix, changed)).abs().amax((0, 2))
    assert (difference[FIRST[1] :] > 0).all()
    assert difference[0] == 0


def test_the_image_is_taken_in_without_depth_where_the_prefix_does_not_see_the_start(rgb: Tensor) -> None:
    for name, sees in (("image alone", False), ("var", True)):
        model = random_model(CONFIGS[name])
        features = model.features(rgb)
        kept = []
        for change in (0.0, 1.0):
            model.transformer.pos_start.data.fill_(change)
            folded = FoldedTransformer(model.transformer, torch.float32)
            cache = folded.cache(2)
            folded.begin(folded.prefix(features), cache)
            kept.append(cache.kept[..., : model.config.prefix_tokens, :].clone())
        assert torch.equal(*kept) is not sees


def test_folding_a_block_is_exact() -> None:
    for config in CONFIGS.values():
        transformer = random_model(config).transformer.double()
        block, condition = transformer.blocks[0], transformer.condition
        gate1, gate2, scale1, scale2, shift1, shift2 = block.ada_lin(condition).view(6, -1)
        folded = FoldedBlock.of(block, condition)
        x = torch.randn(7, config.transformer.dim, dtype=torch.float64)
        hidden = torch.randn(7, 4 * config.transformer.dim, dtype=torch.float64)
        bias = torch.cat([block.attn.q_bias, torch.zeros_like(block.attn.q_bias), block.attn.v_bias])
        expected = [
            (x * (1 + scale1) + shift1) @ block.attn.mat_qkv.weight.T + bias,
            gate1 * block.attn.proj(x),
            block.ffn.fc1(x * (1 + scale2) + shift2),
            gate2 * block.ffn.fc2(hidden),
        ]
        for made, wanted in zip(
            [folded.qkv(x), folded.proj(x), folded.fc1(x), folded.fc2(hidden)], expected, strict=True
        ):
            torch.testing.assert_close(made, wanted, rtol=0, atol=1e-12)


def test_gradient_reaches_every_weight_but_unused_classes(rgb: Tensor) -> None:
    model = random_model(CONFIGS["var"])
    transformer = model.transformer.requires_grad_(True)
    features = model.features(rgb)
    transformer(transformer.prefix(features), [torch.randn(2, 4, 8), torch.randn(2, 16, 8)]).square().sum().backward()
    without = {name for name, p in transformer.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)}
    assert without == set()
    assert torch.equal(transformer.class_emb.weight.grad[:-1], torch.zeros(3, 32))
