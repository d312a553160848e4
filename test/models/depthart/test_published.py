# SPDX-License-Identifier: Apache-2.0
"""The published checkpoints' names, shapes and sizes (github.com/FoundationVision/VAR, commit 78b9539).

The lists are written out here by rule, from what the published code's modules are called.
"""

from __future__ import annotations

import pytest
import torch

from depthpro_ros.models.depthart.presets import FULL
from depthpro_ros.models.depthart.quantiser import conv_of_scale
from depthpro_ros.models.depthart.tokenizer import Tokenizer
from depthpro_ros.models.depthart.transformer import RefinementTransformer

WEIGHT_AND_BIAS = ("weight", "bias")


def _pairs(*modules: str) -> set[str]:
    return {f"{module}.{kind}" for module in modules for kind in WEIGHT_AND_BIAS}


def _res(name: str, shortcut: bool = False) -> set[str]:
    parts = ("norm1", "conv1", "norm2", "conv2", *(("nin_shortcut",) if shortcut else ()))
    return _pairs(*(f"{name}.{part}" for part in parts))


def _attn(name: str) -> set[str]:
    return _pairs(*(f"{name}.{part}" for part in ("norm", "qkv", "proj_out")))


def vae_keys() -> set[str]:
    keys = _pairs("quant_conv", "post_quant_conv") | {"quantize.embedding.weight"}
    keys |= _pairs(*(f"quantize.quant_resi.qresi_ls.{k}" for k in range(4)))
    for half in ("encoder", "decoder"):
        keys |= _pairs(*(f"{half}.{part}" for part in ("conv_in", "norm_out", "conv_out")))
        keys |= _res(f"{half}.mid.block_1") | _res(f"{half}.mid.block_2") | _attn(f"{half}.mid.attn_1")
    for level in range(5):
        for block in range(2):
            keys |= _res(f"encoder.down.{level}.block.{block}", shortcut=block == 0 and level in (2, 4))
        for block in range(3):
            keys |= _res(f"decoder.up.{level}.block.{block}", shortcut=block == 0 and level in (1, 3))
    for block in range(2):
        keys |= _attn(f"encoder.down.4.attn.{block}")
    for block in range(3):
        keys |= _attn(f"decoder.up.4.attn.{block}")
    keys |= _pairs(*(f"encoder.down.{level}.downsample.conv" for level in range(4)))
    return keys | _pairs(*(f"decoder.up.{level}.upsample.conv" for level in range(1, 5)))


def var_keys(*, unit_queries: bool = True) -> set[str]:
    keys = {"pos_start", "pos_1LC", "class_emb.weight", "lvl_embed.weight"} | _pairs("word_embed", "head")
    keys |= _pairs("head_nm.ada_lin.1")
    for block in range(16):
        name = f"blocks.{block}"
        keys |= {f"{name}.attn.{part}" for part in ("q_bias", "v_bias", "mat_qkv.weight")}
        keys |= {f"{name}.attn.scale_mul_1H11"} if unit_queries else set()
        keys |= _pairs(*(f"{name}.{part}" for part in ("attn.proj", "ffn.fc1", "ffn.fc2", "ada_lin.1")))
    return keys


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    with torch.device("meta"):
        return Tokenizer(FULL.tokenizer)


@pytest.fixture(scope="module")
def transformer() -> RefinementTransformer:
    with torch.device("meta"):
        return RefinementTransformer(FULL)


def test_tokenizer_has_the_published_number_of_weights(tokenizer: Tokenizer) -> None:
    assert sum(p.numel() for p in tokenizer.parameters()) == 108_948_355


def test_transformer_has_the_published_number_of_weights(transformer: RefinementTransformer) -> None:
    assert sum(p.numel() for p in transformer.parameters()) == 310_283_520


def test_tokenizer_has_the_published_names(tokenizer: Tokenizer) -> None:
    # 324 with quantize.ema_vocab_hit_SV, a count that inference does not need
    assert set(tokenizer.state_dict()) == vae_keys()
    assert len(vae_keys()) + 1 == 324


def test_transformer_has_the_published_names(transformer: RefinementTransformer) -> None:
    # 220 with lvl_1L, attn_bias_for_masking and 16 zero_k_bias, which the sizes tell
    assert set(transformer.state_dict()) == var_keys()
    assert len(var_keys()) + 18 == 220


def test_shapes_are_the_published_ones(tokenizer: Tokenizer, transformer: RefinementTransformer) -> None:
    state = {k: tuple(v.shape) for k, v in (tokenizer.state_dict() | transformer.state_dict()).items()}
    expected = {
        "encoder.conv_out.weight": (32, 640, 3, 3),
        "decoder.conv_out.weight": (3, 160, 3, 3),
        "quantize.embedding.weight": (4096, 32),
        "pos_1LC": (1, 680, 1024),
        "pos_start": (1, 1, 1024),
        "word_embed.weight": (1024, 32),
        "class_emb.weight": (1001, 1024),
        "lvl_embed.weight": (10, 1024),
        "blocks.15.attn.scale_mul_1H11": (1, 16, 1, 1),
        "blocks.0.attn.mat_qkv.weight": (3072, 1024),
        "blocks.0.ada_lin.1.weight": (6144, 1024),
        "head_nm.ada_lin.1.weight": (2048, 1024),
        "head.weight": (4096, 1024),
    }
    assert {key: state[key] for key in expected} == expected


def test_ten_scales_share_four_convolutions_as_published() -> None:
    assert [conv_of_scale(scale, 10, 4) for scale in range(10)] == [0, 0, 1, 1, 1, 2, 2, 3, 3, 3]
