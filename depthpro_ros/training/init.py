# SPDX-License-Identifier: Apache-2.0
"""Initial weights for a Depth Pro network that starts from nothing."""

from __future__ import annotations

import torch
from torch import nn

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro import DepthPro
from depthpro_ros.models.depth_pro.decoder import ResidualUnit
from depthpro_ros.models.vit import VisionTransformer

TYPICAL_CANONICAL_INVERSE_DEPTH = 0.3
"""A focal length of one image width and things 3 m away."""
TYPICAL_FOV_DEG = 65.0


def initialise(network: DepthPro) -> None:
    """Fill a network with random weights from which it learns.

    The residual units start near the identity: five fusion levels of random convolutions would bury the
    image's signal. The last bias starts at a typical output, since a unit that starts below zero under
    the final ReLU never gets a gradient.
    """
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            # a stride-2 transposed convolution feeds each output from one tap only
            fan_in = module.in_channels * (1 if module.kernel_size == (2, 2) else module.weight[0, 0].numel())
            nn.init.trunc_normal_(module.weight, std=fan_in**-0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, VisionTransformer):
            nn.init.trunc_normal_(module.pos_embed, std=0.02)
            nn.init.trunc_normal_(module.cls_token, std=0.02)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, ResidualUnit):
                module.residual[3].get_parameter("weight").mul_(0.1)
        _start_at(network.head[4], TYPICAL_CANONICAL_INVERSE_DEPTH)
        if network.fov is not None:
            _start_at(network.fov.head[4], TYPICAL_FOV_DEG)


def start_head_as_patch_encoder(network: DepthPro) -> None:
    """Give the field-of-view head's transformer the weights of the patch encoder's first blocks.

    The paper starts every transformer from DINOv2. In a network that starts from nothing, the patch encoder is what
    has learned to see by the time that the head is trained.

    Raises:
        InputError: the two are of different widths, or the head's is the deeper one.
    """
    if network.fov is None:
        raise InputError("this network has no field-of-view head: set fov_encoder")
    head, source = network.fov.encoder[0], network.encoder.patch_encoder.state_dict()
    wanted = head.state_dict()
    if any(name not in source or source[name].shape != value.shape for name, value in wanted.items()):
        config = network.config
        raise InputError(
            f"the field-of-view head's transformer {config.fov_encoder} cannot start as the patch encoder "
            f"{config.patch_encoder}: it needs the same dim and heads, and no more blocks"
        )
    head.load_state_dict({name: source[name] for name in wanted})


def _start_at(last: nn.Module, value: float) -> None:
    """Make an output layer start near one value."""
    last.get_parameter("weight").mul_(0.1)
    last.get_parameter("bias").fill_(value)
