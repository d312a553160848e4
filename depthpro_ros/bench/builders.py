# SPDX-License-Identifier: Apache-2.0
"""The implementations that are measured beside each other, each ready to be called."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from depthpro_ros.bench.depthart_frame import depthart_picture, marked_frame
from depthpro_ros.bench.depthart_plain import PlainDepthArt
from depthpro_ros.bench.model_options import ModelOptions
from depthpro_ros.bench.random_weights import randomise
from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro import DepthProConfig
from depthpro_ros.models.depth_pro.network import metric_depth
from depthpro_ros.models.depth_pro.presets import PRESETS
from depthpro_ros.models.depth_pro.weights import load_network
from depthpro_ros.models.depthart.weights import load_model

Mark = Callable[[str], None]
"""Called with the name of each stage when it is done."""
POST_SIZE = (720, 1280)
"""Height and width of the metric depth that is made of Depth Pro's result."""


@dataclass(frozen=True)
class Task:
    """What a process is to measure.

    Attributes:
        builder: one of `BUILDERS`.
        device, precision: where and in which number format.
        weights: file of our network's weights.
        size: of transformers' network, one of `PRESETS`; ours has that of its weights.
        fov: the field of view is estimated too.
        options: how our own network is to be loaded.
    """

    builder: str
    device: str
    precision: str
    weights: Path
    size: str = "depth_pro"
    fov: bool = True
    options: ModelOptions = field(default_factory=ModelOptions)

    def to_json(self) -> str:
        """As text, for a command line."""
        return json.dumps({**asdict(self), "weights": str(self.weights)})

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        return cls(**{**raw, "weights": Path(raw["weights"]), "options": ModelOptions(**raw["options"])})


@dataclass(frozen=True)
class Built:
    """A network with its input.

    Attributes:
        run: computes one frame.
        run_marked: the same, telling when each stage is done; None where the implementation cannot tell.
        post: what is done with the result afterwards, as one more stage; no part of the frame.
    """

    run: Callable[[], object]
    run_marked: Callable[[Mark], object] | None = None
    post: Callable[[Any], object] | None = None


def build(task: Task) -> Built:
    """Build what a task names.

    Raises:
        InputError: it cannot be built here; the text says what is missing.
        WeightsError: the weights cannot be used.
    """
    return BUILDERS[task.builder](task)


def _merged(task: Task) -> Built:
    """The network that users get, from the door that they use."""
    options = replace(task.options, precision=task.precision)
    estimator: Any = options.load(task.weights, task.device)
    network, runner = estimator.network, estimator.runner
    image = _image(network.config, task).contiguous(memory_format=torch.channels_last)

    def marked(mark: Mark) -> object:
        return network(image, task.fov, mark)

    # a graph is one operation, and running the network beside it would double the memory
    stages = task.device == "cpu" or options.accelerate == "eager"

    def metres(result: tuple[Tensor, object]) -> Tensor:
        return metric_depth(result[0], torch.ones(1, device=task.device), *POST_SIZE)

    return Built(lambda: runner(image, task.fov), marked if stages else None, metres)


def _unmerged(task: Task) -> Built:
    """The network as it is trained, and as the published one is laid out."""
    network = load_network(task.weights).to(task.device, getattr(torch, task.precision)).eval()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    image = _image(network.config, task).contiguous(memory_format=torch.channels_last)
    return Built(lambda: network(image, task.fov))


def _transformers(task: Task) -> Built:
    """transformers' implementation as its documentation runs it, with random weights."""
    network, image = _transformers_network(task)
    return Built(lambda: network(pixel_values=image))


def _compiled(task: Task) -> Built:
    """The same, compiled."""
    network, image = _transformers_network(task)
    compiled = torch.compile(network)
    return Built(lambda: compiled(pixel_values=image))


def _transformers_network(task: Task) -> tuple[torch.nn.Module, Tensor]:
    try:
        from transformers import DepthProForDepthEstimation
    except ImportError as error:
        raise InputError(f"transformers is not installed ({error}): pip install transformers") from error
    config = PRESETS[task.size]
    with torch.device("meta"):
        network = DepthProForDepthEstimation(transformers_config(config)).to(getattr(torch, task.precision))
    network = network.to_empty(device=task.device).eval()
    randomise(network)
    return network, _image(config, task)


def _depthart(task: Task) -> Built:
    """DepthART as users get it, from a picture to depth. Its own precision, if it has one, stands."""
    options = task.options
    if options.precision == "auto":
        options = replace(options, precision=task.precision)
    estimator: Any = options.load(task.weights, task.device)
    network = estimator.network
    image = depthart_picture(network.config.tokenizer.image_px)
    stages = task.device == "cpu" or options.accelerate == "eager"
    return Built(lambda: estimator.predict(image), marked_frame(network, image) if stages else None)


def _plain_depthart(task: Task) -> Built:
    """A straightforward composition of the published modules."""
    network = PlainDepthArt(load_model(task.weights).to(task.device), getattr(torch, task.precision))
    image = torch.from_numpy(depthart_picture(network.config.tokenizer.image_px))[None].to(task.device)
    return Built(lambda: network(image), lambda mark: network(image, mark))


BUILDERS: dict[str, Callable[[Task], Built]] = {
    "merged": _merged,
    "unmerged": _unmerged,
    "transformers": _transformers,
    "transformers compiled": _compiled,
    "depthart": _depthart,
    "depthart plain": _plain_depthart,
}


def transformers_config(config: DepthProConfig) -> Any:
    """A size of the network in transformers' words."""
    import transformers

    def encoder(dim: int, depth: int, heads: int) -> dict[str, object]:
        return {
            "model_type": "dinov2",
            "hidden_size": dim,
            "num_hidden_layers": depth,
            "num_attention_heads": heads,
            "patch_size": config.patch_px,
            "image_size": config.window_px,
        }

    patch, image, fov = config.patch_encoder, config.image_encoder, config.fov_encoder
    assert fov is not None
    return transformers.DepthProConfig(
        use_fov_model=True,
        patch_size=config.window_px,
        fusion_hidden_size=config.decoder_dim,
        intermediate_hook_ids=list(reversed(config.hooks)),
        intermediate_feature_dims=list(reversed(config.latent_dims)),
        scaled_images_feature_dims=list(reversed(config.pyramid_dims)),
        merge_padding_value=config.grid // 8,
        patch_model_config=encoder(patch.dim, patch.depth, patch.heads),
        image_model_config=encoder(image.dim, image.depth, image.heads),
        fov_model_config=encoder(fov.dim, fov.depth, fov.heads),
    )


def _image(config: DepthProConfig, task: Task) -> Tensor:
    """Noise of the network's size in [-1, 1]."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(1, 3, config.input_px, config.input_px, generator=generator).mul_(2).sub_(1)
    return noise.to(task.device, getattr(torch, task.precision))
