# SPDX-License-Identifier: Apache-2.0
"""Our network against an independent one (transformers' DepthPro) with the same random weights, through files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from depthpro_ros import load_estimator
from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.network import DepthPro
from depthpro_ros.models.vit import ViTConfig

transformers = pytest.importorskip("transformers", reason="the independent implementation is not installed")


@dataclass(frozen=True)
class Size:
    """One configuration, in our terms."""

    window: int
    patch: int
    dim: int
    depth: int
    heads: int
    hooks: tuple[int, ...]
    decoder: int
    pyramid: tuple[int, int, int]


RELEASED = "released windows"
SIZES = {
    # the reduced configuration for which Apple's and transformers' code agree to the last bit
    RELEASED: Size(384, 16, 64, 12, 4, (5, 11), 16, (32, 64, 64)),
    "small windows": Size(128, 16, 48, 6, 3, (1, 4), 24, (24, 48, 32)),
    "sixteen tokens": Size(128, 8, 32, 4, 2, (0, 2), 16, (16, 32, 48)),
    "one hook": Size(64, 8, 64, 3, 4, (1,), 32, (32, 64, 64)),
}


def hf_config(size: Size) -> object:
    vit = {
        "model_type": "dinov2",
        "hidden_size": size.dim,
        "num_hidden_layers": size.depth,
        "num_attention_heads": size.heads,
        "mlp_ratio": 4,
        "patch_size": size.patch,
        "image_size": size.window,
        "layer_norm_eps": 1e-6,
        "use_mask_token": False,
    }
    grid = size.window // size.patch
    return transformers.DepthProConfig(
        use_fov_model=True,
        patch_size=size.window,
        fusion_hidden_size=size.decoder,
        intermediate_hook_ids=list(reversed(size.hooks)),
        intermediate_feature_dims=[size.decoder] * len(size.hooks),
        scaled_images_feature_dims=list(reversed(size.pyramid)),
        merge_padding_value=grid // 8,
        image_model_config=dict(vit),
        patch_model_config=dict(vit),
        fov_model_config=dict(vit),
    )


def our_config(size: Size) -> DepthProConfig:
    vit = ViTConfig(size.dim, size.depth, size.heads)
    return DepthProConfig(
        window_px=size.window,
        patch_px=size.patch,
        patch_encoder=vit,
        image_encoder=vit,
        fov_encoder=vit,
        hooks=size.hooks,
        latent_dims=(size.decoder,) * len(size.hooks),
        pyramid_dims=size.pyramid,
        decoder_dim=size.decoder,
    )


@dataclass
class Case:
    """transformers' model, and a folder with its weights in three layouts."""

    model: Any
    root: Path
    outputs: dict[tuple[int, int, int], Any] = field(default_factory=dict)
    """Of the model, for images of this batch, height and width."""

    def reference(self, batch: int, height: int, width: int, focal_px: float | None) -> tuple[Tensor, Tensor]:
        """transformers' network with Apple's documented pre- and post-processing: depth [B,H,W], fov [B]."""
        key = (batch, height, width)
        if key not in self.outputs:
            side = 4 * self.model.config.patch_size
            image = torch.from_numpy(photographs(*key)).permute(0, 3, 1, 2).float() / 255
            image = torch.nn.functional.interpolate(
                (image - 0.5) / 0.5, (side, side), mode="bilinear", align_corners=False
            )
            with torch.no_grad():
                self.outputs[key] = self.model(pixel_values=image)
        out = self.outputs[key]
        fov = out.field_of_view
        focal = 0.5 * width / torch.tan(torch.deg2rad(fov) / 2) if focal_px is None else torch.full((batch,), focal_px)
        inverse = out.predicted_depth[:, None] * (width / focal).view(-1, 1, 1, 1)
        inverse = torch.nn.functional.interpolate(inverse, (height, width), mode="bilinear", align_corners=False)
        return 1 / inverse[:, 0].clamp(1e-4, 1e4), fov


@pytest.fixture(scope="module")
def case_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    """The case of a size, made once."""
    return cache(lambda size: make_case(SIZES[size], tmp_path_factory.mktemp("weights")))


def make_case(size: Size, root: Path) -> Case:
    torch.manual_seed(11)
    model = transformers.DepthProForDepthEstimation(hf_config(size)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # every weight takes part: random LayerScale and biases, and an output well above the ReLU
            if name.endswith("bias") or "lambda" in name or "norm" in name:
                parameter.add_(0.1 * torch.randn_like(parameter))
        centre_outputs(model)
    model.save_pretrained(root / "hf")
    # the published checkpoint: names of transformers 4, whatever the installed version writes
    published = {old_name(k): v for k, v in load_file(root / "hf" / "model.safetensors").items()}
    (root / "hf4").mkdir()
    (root / "hf4" / "config.json").write_text((root / "hf" / "config.json").read_text())
    save_file(published, root / "hf4" / "model.safetensors")
    new = root / "hf5"
    new.mkdir()
    (new / "config.json").write_text((root / "hf" / "config.json").read_text())
    save_sharded({new_name(k): v for k, v in published.items()}, new)
    torch.save(apple_layout(published, len(size.hooks)), root / "depth_pro.pt")
    (root / "depth_pro.json").write_text(our_config(size).to_json())
    return Case(model, root)


def centre_outputs(model) -> None:
    """Scale and shift the last layers so that outputs are about 2 +- 0.3 and 55 degrees.

    Near zero inverse depth a relative error of depth would measure the random weights, not the code.
    """
    side = 4 * model.config.patch_size
    model.head.layers[4].bias.fill_(1e3)  # off the last ReLU
    out = model(pixel_values=torch.from_numpy(photographs(1, side, side)).permute(0, 3, 1, 2) / 127.5 - 1)
    raw = out.predicted_depth.double() - 1e3
    gain = 0.3 / raw.std()
    model.head.layers[4].weight.mul_(gain)
    model.head.layers[4].bias.fill_(2 - gain * raw.mean())
    last = model.fov_model.head.layers[4]
    last.bias.add_(55.0 - out.field_of_view[0])


# attention's names: transformers 5, and before it (the published checkpoint)
RENAMED = (
    ("attention.q_proj", "attention.attention.query"),
    ("attention.k_proj", "attention.attention.key"),
    ("attention.v_proj", "attention.attention.value"),
    ("attention.o_proj", "attention.output.dense"),
)


def old_name(key: str) -> str:
    for new, old in RENAMED:
        key = key.replace(new, old)
    return key


def new_name(key: str) -> str:
    for new, old in RENAMED:
        key = key.replace(old, new)
    return key


def save_sharded(state: dict[str, Tensor], folder: Path) -> None:
    names = sorted(state)
    half = len(names) // 2
    shards = {"model-00001-of-00002.safetensors": names[:half], "model-00002-of-00002.safetensors": names[half:]}
    for file, keys in shards.items():
        save_file({k: state[k] for k in keys}, folder / file)
    weight_map = {k: file for file, keys in shards.items() for k in keys}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def apple_layout(hf: dict[str, Tensor], hooks: int) -> dict[str, Tensor]:
    """Apple's names, written down key by key from the published list rather than by the code under test."""
    levels = hooks + 3
    out: dict[str, Tensor] = {}

    def copy(ours: str, theirs: str) -> None:
        for leaf in ("weight", "bias"):
            if f"{theirs}.{leaf}" in hf:
                out[f"{ours}.{leaf}"] = hf[f"{theirs}.{leaf}"]

    encoders = {
        "encoder.patch_encoder": "depth_pro.encoder.patch_encoder.model",
        "encoder.image_encoder": "depth_pro.encoder.image_encoder.model",
        "fov.encoder.0": "fov_model.fov_encoder.model",
    }
    for ours, theirs in encoders.items():
        out[f"{ours}.cls_token"] = hf[f"{theirs}.embeddings.cls_token"]
        out[f"{ours}.pos_embed"] = hf[f"{theirs}.embeddings.position_embeddings"]
        copy(f"{ours}.patch_embed.proj", f"{theirs}.embeddings.patch_embeddings.projection")
        copy(f"{ours}.norm", f"{theirs}.layernorm")
        block = 0
        while f"{theirs}.encoder.layer.{block}.norm1.weight" in hf:
            a, b = f"{ours}.blocks.{block}", f"{theirs}.encoder.layer.{block}"
            for part in ("norm1", "norm2", "mlp.fc1", "mlp.fc2"):
                copy(f"{a}.{part}", f"{b}.{part}")
            copy(f"{a}.attn.proj", f"{b}.attention.output.dense")
            out[f"{a}.ls1.gamma"] = hf[f"{b}.layer_scale1.lambda1"]
            out[f"{a}.ls2.gamma"] = hf[f"{b}.layer_scale2.lambda1"]
            for leaf in ("weight", "bias"):
                qkv = [hf[f"{b}.attention.attention.{n}.{leaf}"] for n in ("query", "key", "value")]
                out[f"{a}.attn.qkv.{leaf}"] = torch.cat(qkv)
            block += 1
    up = "depth_pro.neck.feature_upsample"
    for k in range(5):
        for latent in range(hooks):
            copy(f"encoder.upsample_latent{latent}.{k}", f"{up}.intermediate.{hooks - 1 - latent}.layers.{k}")
        for level in range(3):
            copy(f"encoder.upsample{level}.{k}", f"{up}.scaled_images.{2 - level}.layers.{k}")
        copy(f"head.{k}", f"head.layers.{k}")
        copy(f"fov.head.{k}", f"fov_model.head.layers.{k}")
    copy("encoder.upsample_lowres", f"{up}.image_block.layers.0")
    copy("encoder.fuse_lowres", "depth_pro.neck.fuse_image_with_low_res")
    copy("fov.encoder.1", "fov_model.fov_encoder.neck")
    copy("fov.downsample.0", "fov_model.conv")
    for level in range(levels):
        copy(f"decoder.convs.{level}", f"depth_pro.neck.feature_projection.projections.{levels - 1 - level}")
        theirs = "fusion_stage.final" if level == 0 else f"fusion_stage.intermediate.{levels - 1 - level}"
        copy(f"decoder.fusions.{level}.deconv", f"{theirs}.deconv")
        copy(f"decoder.fusions.{level}.out_conv", f"{theirs}.projection")
        for unit in (1, 2):
            for index, leaf in ((1, "convolution1"), (3, "convolution2")):
                copy(f"decoder.fusions.{level}.resnet{unit}.residual.{index}", f"{theirs}.residual_layer{unit}.{leaf}")
    return out


def photographs(batch: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    coarse = torch.from_numpy(rng.random((batch, 3, 6, 8), dtype=np.float32))
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    return (smooth.permute(0, 2, 3, 1).numpy() * 255).astype(np.uint8)


def with_sizes(quick: object, others: list[object]) -> list[Any]:
    """Each size with every value; the large one with one value, and with the others among the slow tests."""
    return [
        pytest.param(
            size, value, marks=[pytest.mark.slow] if size == RELEASED and value != quick else [], id=f"{size}-{value}"
        )
        for size, value in product(SIZES, [quick, *others])
    ]


@pytest.mark.parametrize(("size", "layout"), with_sizes("depth_pro.pt", ["hf4", "hf5"]))
def test_agrees_in_every_layout(case_of: Callable[[str], Case], size: str, layout: str) -> None:
    case = case_of(size)
    depth, fov = case.reference(1, 90, 120, None)
    prediction = load_estimator(case.root / layout, device="cpu", precision="float32").predict(photographs(1, 90, 120))
    torch.testing.assert_close(prediction.depth_m, depth, rtol=1e-4, atol=0)
    torch.testing.assert_close(prediction.fov_deg, fov, rtol=1e-4, atol=0)


BATCHES, SHAPES, FOCALS_PX = (1, 2), ((96, 96), (70, 130)), (None, 77.0)
INPUTS = list(product(BATCHES, SHAPES, FOCALS_PX))
ONE = (1, (70, 130), 77.0)


@pytest.mark.parametrize(("size", "given"), with_sizes(ONE, [i for i in INPUTS if i != ONE]))
def test_agrees_for_every_input(
    case_of: Callable[[str], Case], size: str, given: tuple[int, tuple[int, int], float | None]
) -> None:
    case = case_of(size)
    batch, (height, width), focal_px = given
    rgb = photographs(batch, height, width)
    depth, fov = case.reference(batch, height, width, focal_px)
    assert depth.std() / depth.mean() > 1e-3, "the reference depth must vary for the comparison to mean something"
    estimator = load_estimator(case.root / "depth_pro.pt", device="cpu", precision="float32")
    prediction = estimator.predict(rgb, focal_px)
    torch.testing.assert_close(prediction.depth_m, depth, rtol=1e-4, atol=0)
    if focal_px is None:
        torch.testing.assert_close(prediction.fov_deg, fov, rtol=1e-4, atol=0)
        expected = [0.5 * width / math.tan(math.radians(f) / 2) for f in fov.tolist()]
        assert prediction.focal_px.tolist() == pytest.approx(expected, rel=1e-4)
    else:
        assert prediction.fov_deg is None
        assert prediction.focal_px.tolist() == [focal_px] * batch


def test_full_size_has_the_published_tensors() -> None:
    """1,119 tensors and 951,991,330 weights: the figures of the released depth_pro.pt."""
    with torch.device("meta"):
        network = DepthPro(DepthProConfig())
    assert len(network.state_dict()) == 1119
    assert sum(p.numel() for p in network.parameters()) == 951_991_330
    assert DepthProConfig().input_px == DepthProConfig().output_px == 1536
