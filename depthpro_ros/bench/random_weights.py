# SPDX-License-Identifier: Apache-2.0
"""A weights file with random numbers: time and memory do not depend on what a network has learned."""

from __future__ import annotations

from pathlib import Path

import torch

from depthpro_ros.bench.results import RunContext
from depthpro_ros.models.depth_pro import DepthPro, DepthProConfig
from depthpro_ros.models.depth_pro.weights import save_network
from depthpro_ros.models.depthart.config import DepthArtConfig
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.weights import save_model

SPREAD = 0.02
"""Standard deviation of the weights, as transformers are initialised."""


def full_weights(context: RunContext, config: DepthProConfig) -> Path:
    """Weights of the full network: the user's, else random ones, written once in a run.

    Args:
        context: of the run.
        config: the full network's; tests have a smaller one.
    """
    if context.weights is not None:
        return context.weights
    path = context.folder / "depth_pro_random.safetensors"
    if not path.exists():
        context.say("  writing random weights of the full network ...")
        write_random_weights(config, path)
    return path


def write_random_weights(config: DepthProConfig, path: Path) -> None:
    """Write our own form in float16, with normalisations and LayerScales of about 1."""
    with torch.device("meta"):
        network = DepthPro(config).half()
    network.to_empty(device="cpu")
    randomise(network)
    save_network(network, path)


def write_random_depthart(config: DepthArtConfig, path: Path) -> None:
    """Write DepthART's own form in float16, the quantiser in float32."""
    with torch.device("meta"):
        model = DepthArt(config)
    model.to_empty(device="cpu")
    randomise(model)
    save_model(model, path)


@torch.no_grad()
def randomise(network: torch.nn.Module) -> None:
    """Fill all parameters, so that activations stay in the range of float16."""
    torch.manual_seed(0)
    for name, parameter in network.named_parameters():
        parameter.normal_(0, SPREAD)
        if name.endswith(("norm1.weight", "norm2.weight", "norm.weight", "layernorm.weight", "gamma", "lambda1")):
            parameter.add_(1)
