# SPDX-License-Identifier: Apache-2.0
"""The two published layouts of Depth Pro's weights, and the way from one to the other.

Our own files and Apple's `depth_pro.pt` have the same layout. Hugging Face's (`apple/DepthPro-hf`) differs
in names, splits each query-key-value matrix in three, and counts levels from the other end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from depthpro_ros.models.depth_pro.config import PYRAMID_FACTOR, DepthProConfig
from depthpro_ros.models.vit import ViTConfig

HF_PREFIXES = ("depth_pro.", "fusion_stage.", "fov_model.")

_HF_ENCODERS = {
    "depth_pro.encoder.patch_encoder.model.": "encoder.patch_encoder.",
    "depth_pro.encoder.image_encoder.model.": "encoder.image_encoder.",
    "fov_model.fov_encoder.model.": "fov.encoder.0.",
}
_HF_VIT = (
    (r"^embeddings\.cls_token$", "cls_token"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^layernorm\.", "norm."),
    (r"^(?:encoder\.)?layers?\.(\d+)\.", r"blocks.\1."),
    (r"\.layer_scale(\d)\.lambda1$", r".ls\1.gamma"),
    # on disk: attention.attention.query, attention.output.dense; transformers 5 may save its own names
    (r"\.attention\.(?:attention\.)?(?:query|q_proj)\.", ".attn.q."),
    (r"\.attention\.(?:attention\.)?(?:key|k_proj)\.", ".attn.k."),
    (r"\.attention\.(?:attention\.)?(?:value|v_proj)\.", ".attn.v."),
    (r"\.attention\.(?:output\.dense|o_proj)\.", ".attn.proj."),
)
_HF_IGNORED = re.compile(r"\.embeddings\.mask_token$")

# transformers' defaults of Dinov2Config, which a saved config.json may leave out
_DINOV2_DEFAULTS = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "mlp_ratio": 4,
    "patch_size": 14,
}


def is_hf_layout(keys: list[str]) -> bool:
    """Whether these are the names of a Hugging Face checkpoint."""
    return any(key.startswith(HF_PREFIXES) for key in keys)


def from_hf(state: Mapping[str, Tensor], config: DepthProConfig) -> dict[str, Tensor]:
    """Rename and join a Hugging Face state dict; unknown names are kept, for the caller to refuse."""
    levels = len(config.hooks) + 3
    result: dict[str, Tensor] = {}
    for key, value in state.items():
        if not _HF_IGNORED.search(key):
            result[_rename(key, levels, len(config.hooks))] = value
    for key in [k for k in result if ".attn.q." in k]:
        names = [key.replace(".attn.q.", f".attn.{part}.") for part in "qkv"]
        if all(name in result for name in names):
            result[key.replace(".attn.q.", ".attn.qkv.")] = torch.cat([result.pop(name) for name in names])
    return result


def _rename(key: str, levels: int, hooks: int) -> str:
    """One Hugging Face name in Apple's layout, or unchanged where it is not one."""
    for prefix, ours in _HF_ENCODERS.items():
        if key.startswith(prefix):
            name = key.removeprefix(prefix)
            for pattern, replacement in _HF_VIT:
                name = re.sub(pattern, replacement, name)
            return ours + name
    neck = "depth_pro.neck."
    upsample = neck + "feature_upsample."
    rules = (
        (rf"^{re.escape(upsample)}intermediate\.(\d+)\.layers\.", lambda i: f"encoder.upsample_latent{hooks - 1 - i}."),
        (rf"^{re.escape(upsample)}scaled_images\.(\d+)\.layers\.", lambda i: f"encoder.upsample{2 - i}."),
        (rf"^{re.escape(neck)}feature_projection\.projections\.(\d+)\.", lambda i: f"decoder.convs.{levels - 1 - i}."),
        (r"^fusion_stage\.intermediate\.(\d+)\.", lambda i: f"decoder.fusions.{levels - 1 - i}."),
    )
    for pattern, name_of in rules:
        match = re.match(pattern, key)
        if match:
            return _fusion(name_of(int(match[1])) + key[match.end() :])
    fixed = {
        upsample + "image_block.layers.0.": "encoder.upsample_lowres.",
        neck + "fuse_image_with_low_res.": "encoder.fuse_lowres.",
        "fusion_stage.final.": "decoder.fusions.0.",
        "head.layers.": "head.",
        "fov_model.fov_encoder.neck.": "fov.encoder.1.",
        "fov_model.conv.": "fov.downsample.0.",
        "fov_model.head.layers.": "fov.head.",
    }
    for prefix, ours in fixed.items():
        if key.startswith(prefix):
            return _fusion(ours + key.removeprefix(prefix))
    return key


def _fusion(name: str) -> str:
    """Names inside a fusion block."""
    name = re.sub(r"\.residual_layer(\d)\.convolution1\.", r".resnet\1.residual.1.", name)
    name = re.sub(r"\.residual_layer(\d)\.convolution2\.", r".resnet\1.residual.3.", name)
    return name.replace(".projection.", ".out_conv.")


def config_from_hf(raw: Mapping[str, Any]) -> DepthProConfig:
    """Read a Hugging Face `config.json` (already parsed).

    Raises:
        ValueError: not Depth Pro, or a variant that this network does not have; says which.
    """
    if raw.get("model_type") != "depth_pro":
        raise ValueError(f"model_type is {raw.get('model_type')!r}, expected 'depth_pro'")
    window = _fixed(raw, "patch_size", 384)
    ratios = list(_fixed(raw, "scaled_images_ratios", [0.25, 0.5, 1]))
    overlaps = list(_fixed(raw, "scaled_images_overlap_ratios", [0.0, 0.5, 0.25]))
    if ratios != [1 / PYRAMID_FACTOR, 0.5, 1] or overlaps != [0.0, 0.5, 0.25]:
        raise ValueError(f"scaled_images_ratios {ratios} with overlaps {overlaps} are not Depth Pro's")
    if raw.get("use_batch_norm_in_fusion_residual") or raw.get("use_bias_in_fusion_residual") is False:
        raise ValueError("fusion residuals with batch norm or without bias are not supported")
    if _fixed(raw, "num_fov_head_layers", 2) != 2:
        raise ValueError(f"num_fov_head_layers is {raw['num_fov_head_layers']}, expected 2")
    sizes = {name: dict(raw.get(f"{name}_model_config") or {}) for name in ("patch", "image", "fov")}
    patch_px = {_vit_value(size, "patch_size") for size in sizes.values()}
    if len(patch_px) != 1:
        raise ValueError(f"the three transformers have different patch sizes {sorted(patch_px)}")
    dims = list(_fixed(raw, "scaled_images_feature_dims", [1024, 1024, 512]))
    config = DepthProConfig(
        window_px=window,
        patch_px=patch_px.pop(),
        patch_encoder=_vit_config(sizes["patch"]),
        image_encoder=_vit_config(sizes["image"]),
        fov_encoder=_vit_config(sizes["fov"]) if raw.get("use_fov_model", False) else None,
        hooks=tuple(reversed(_fixed(raw, "intermediate_hook_ids", [11, 5]))),
        latent_dims=tuple(reversed(_fixed(raw, "intermediate_feature_dims", [256, 256]))),
        pyramid_dims=(dims[2], dims[1], dims[0]),
        decoder_dim=_fixed(raw, "fusion_hidden_size", 256),
    )
    padding = _fixed(raw, "merge_padding_value", 3)
    if padding != config.grid // 8:
        raise ValueError(f"merge_padding_value is {padding}, expected {config.grid // 8} for {config.grid} tokens")
    return config


def _fixed(raw: Mapping[str, Any], key: str, default: Any) -> Any:
    value = raw.get(key)
    return default if value is None else value


def _vit_value(size: Mapping[str, Any], key: str) -> Any:
    return _fixed(size, key, _DINOV2_DEFAULTS[key])


def _vit_config(size: Mapping[str, Any]) -> ViTConfig:
    if size.get("model_type", "dinov2") != "dinov2" or size.get("use_swiglu_ffn"):
        raise ValueError(f"transformer {size.get('model_type')!r} is not a plain DINOv2 one")
    return ViTConfig(
        dim=_vit_value(size, "hidden_size"),
        depth=_vit_value(size, "num_hidden_layers"),
        heads=_vit_value(size, "num_attention_heads"),
        mlp_ratio=float(_vit_value(size, "mlp_ratio")),
    )
