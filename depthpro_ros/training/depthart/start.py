# SPDX-License-Identifier: Apache-2.0
"""The model that a run of DepthART's training starts from."""

from __future__ import annotations

import torch
from torch import nn

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro.weights import load_network
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.quantiser import SharedConv
from depthpro_ros.models.depthart.tokenizer import Tokenizer
from depthpro_ros.models.depthart.transformer import initialise
from depthpro_ros.models.depthart.weights import load_model
from depthpro_ros.models.registry import find_model
from depthpro_ros.models.vit import VisionTransformer
from depthpro_ros.training.depthart.config import ArtTrainConfig


def build_model(config: ArtTrainConfig) -> DepthArt:
    """The model, float32, on the CPU.

    Raises:
        WeightsError: `init` or `encoder` cannot be read.
        InputError: they are of another size than `network`.
    """
    torch.manual_seed(config.seed)
    sizes = config.network_config()
    if config.init is not None:
        model = load_model(config.init).float()
        if model.config != sizes:
            raise InputError(
                f"init {config.init} is a network of other sizes than `network: {config.network}`: it is "
                f"{model.config.to_json()}"
            )
    else:
        model = DepthArt(sizes)
        initialise(model.transformer)
        initialise_tokenizer(model.tokenizer)
        if sizes.transformer.encoder is not None:
            _initialise_encoder(model.transformer.encoder)
    if config.encoder is not None:
        start_encoder(model, str(config.encoder))
    model.transformer.recompute = config.gradient_checkpointing
    return model


def initialise_tokenizer(tokenizer: Tokenizer) -> None:
    """Codes of the size of a latent's residuals, and shared convolutions that begin as the identity."""
    nn.init.normal_(tokenizer.quantize.embedding.weight, std=0.3)
    with torch.no_grad():
        for conv in tokenizer.quantize.quant_resi.qresi_ls:
            assert isinstance(conv, SharedConv)
            nn.init.dirac_(conv.weight)
            assert conv.bias is not None
            nn.init.zeros_(conv.bias)


def start_encoder(model: DepthArt, source: str) -> None:
    """Give the prefix's encoder the weights of a Depth Pro network's image encoder.

    Args:
        model: changed in place.
        source: a registered Depth Pro model or a path of its weights.

    Raises:
        InputError: the model has no encoder, or it is of another size.
        WeightsError: the weights cannot be read.
    """
    if model.config.transformer.encoder is None:
        raise InputError("encoder weights are given, but the network's prefix is `tokens`: leave `encoder` out")
    _, path, _ = find_model(source)
    network = load_network(path).float()
    state = network.encoder.image_encoder.state_dict()
    wanted = model.transformer.encoder.state_dict()
    wrong = [name for name in wanted if name not in state or state[name].shape != wanted[name].shape]
    if wrong:
        raise InputError(
            f"the image encoder of {source} is {network.config.image_encoder} of windows of "
            f"{network.config.window_px} pixels, the network's is {model.config.transformer.encoder}: they must be "
            "alike"
        )
    model.transformer.encoder.load_state_dict({name: state[name] for name in wanted})


def _initialise_encoder(encoder: VisionTransformer) -> None:
    for module in encoder.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)
    nn.init.trunc_normal_(encoder.pos_embed, std=0.02)
    nn.init.trunc_normal_(encoder.cls_token, std=0.02)
