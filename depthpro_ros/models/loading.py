# SPDX-License-Identifier: Apache-2.0
"""Models by name or path, brought to a device as the user's options say."""

from __future__ import annotations

import logging
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import torch

from depthpro_ros.allocator import give_back_freed_memory
from depthpro_ros.errors import InputError, first_line
from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.estimator import DepthProEstimator
from depthpro_ros.models.depth_pro.inference import MergedDepthPro
from depthpro_ros.models.depth_pro.inference.quantised import check_quantisation
from depthpro_ros.models.depth_pro.inference.quantised import quantise as quantise_transformer
from depthpro_ros.models.depth_pro.inference.tiles import TileReuse
from depthpro_ros.models.depth_pro.weights import load_network
from depthpro_ros.models.depthart.estimator import DepthArtEstimator
from depthpro_ros.models.depthart.inference import DepthArtNetwork
from depthpro_ros.models.depthart.sampling import DecodingSettings
from depthpro_ros.models.depthart.weights import is_depthart, load_model
from depthpro_ros.models.estimator import Estimator, EstimatorInfo
from depthpro_ros.models.registry import find_model

logger = logging.getLogger(__name__)

PRECISIONS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
MEMORY = ("auto", "low")
RESOLUTIONS = {"full": Fraction(1), "two_thirds": Fraction(2, 3), "half": Fraction(1, 2)}
ACCELERATE = ("auto", "eager", "graphs", "compile")


def load_estimator(
    model: str | Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    memory: str = "auto",
    resolution: str = "full",
    quantise: str = "off",
    accelerate: str = "auto",
    reuse_tiles: float = 0.0,
    decoding: str = "argmax",
    samples: int = 5,
    seed: int = 0,
) -> Estimator:
    """Load a depth model.

    Args:
        model: `depth_pro` (Apple's weights, wherever they are found), `depth_pro_nano` (bundled), `auto` (the
            first where its weights are found, else the second, with a warning), `depthart_ar` (bundled, up to scale),
            or a path: Apple's `depth_pro.pt`, a Hugging Face folder, the authors' DepthART weights, or our own
            `.safetensors` of either model.
        device: a torch device, or `auto`: CUDA where it is available.
        precision: `float32`, `float16` or `bfloat16`; `auto` is float16 on CUDA and float32 elsewhere.
        memory: `low` trades time for memory; `auto` does so once memory runs out. Both give the same depth.
        resolution: `full`, or approximate: `two_thirds` or `half` of the input's side (1024 or 768 for Apple's
            1536), with resampled position embeddings.
        quantise: `off`, or approximate: the transformers' products in `int8`, or in `fp8` on GPUs that have it.
        accelerate: `eager`, `graphs` (CUDA graphs), `compile` (torch.compile, which takes a minute or more at first
            and needs a compiler); `auto` is graphs on CUDA and eager elsewhere.
        reuse_tiles: above 0, approximate, for cameras that stand still: full-resolution windows whose mean change
            is at most this many 8-bit levels are not computed again.
        decoding, samples, seed: of `depthart_ar`, see `DecodingSettings`.

    Raises:
        WeightsError: the weights are missing, damaged, or belong to another network.
        InputError: an unknown model or option, or one that this machine cannot serve.
    """
    chosen_device = resolve_device(device)
    dtype = resolve_precision(precision, chosen_device)
    _check_choice("memory", memory, MEMORY)
    _check_choice("resolution", resolution, tuple(RESOLUTIONS))
    _check_choice("accelerate", accelerate, ACCELERATE)
    check_quantisation(quantise, chosen_device)
    if not 0 <= reuse_tiles <= 255:
        raise InputError(f"reuse_tiles must be 0 (off) to 255 levels of 8 bits, it is {reuse_tiles}")
    if accelerate == "graphs" and chosen_device.type != "cuda":
        raise InputError(f"accelerate 'graphs' needs a CUDA device, this is {chosen_device}: choose auto")
    name, path, notice = find_model(str(model))
    up_to_scale = name == "depthart_ar" or is_depthart(path)
    if up_to_scale:
        if resolution != "full" or quantise != "off" or reuse_tiles > 0 or accelerate == "compile":
            raise InputError(
                f"{name} has neither resolution {resolution!r}, quantise {quantise!r}, reuse_tiles {reuse_tiles} nor "
                f"accelerate {accelerate!r}: leave these settings at their defaults"
            )
    elif decoding != "argmax":
        raise InputError(f"{name} draws no tokens, so that decoding {decoding!r} says nothing to it: leave it out")
    if accelerate == "auto":
        accelerate = "graphs" if chosen_device.type == "cuda" else "eager"
    described = partial(
        EstimatorInfo,
        name=name,
        weights=str(path),
        device=str(chosen_device),
        precision=str(dtype).removeprefix("torch."),
        notice=notice,
    )
    estimator: Estimator
    if up_to_scale:
        settings = DecodingSettings(decoding, samples=samples, seed=seed)  # type: ignore[arg-type]
        estimator = _load_depthart(path, described, chosen_device, dtype, memory, accelerate, settings)
    else:
        estimator = _load_depth_pro(
            path, described, chosen_device, dtype, memory, resolution, quantise, accelerate, reuse_tiles
        )
    if notice:
        logger.warning(notice)
    return estimator


def _load_depth_pro(
    path: Path,
    described: Callable[..., EstimatorInfo],
    device: torch.device,
    dtype: torch.dtype,
    memory: str,
    resolution: str,
    quantise: str,
    accelerate: str,
    reuse_tiles: float,
) -> DepthProEstimator:
    network = load_network(path)
    weights = sum(p.numel() for p in network.parameters())
    window_px = None
    if resolution != "full":
        window_px = reduced_window_px(network.config, RESOLUTIONS[resolution])
    with torch.inference_mode(False), torch.no_grad():
        merged = MergedDepthPro(network.to(device), dtype, window_px)
    del network
    if quantise != "off":
        for transformer in (merged.patch_encoder, merged.image_encoder):
            quantise_transformer(transformer, quantise)
    if device.type == "cuda" and merged.fov is not None:
        merged.fov.to("cpu")  # until it is wanted: with a known focal length it never is
        torch.cuda.empty_cache()
    if reuse_tiles > 0:
        merged.reuse = TileReuse(reuse_tiles)
    give_back_freed_memory()
    approximations = _approximations(merged.config.input_px, resolution, quantise, reuse_tiles)
    return DepthProEstimator(merged, described(parameters=weights, approximations=approximations), memory, accelerate)


def _load_depthart(
    path: Path,
    described: Callable[..., EstimatorInfo],
    device: torch.device,
    dtype: torch.dtype,
    memory: str,
    accelerate: str,
    decoding: DecodingSettings,
) -> DepthArtEstimator:
    model = load_model(path)
    weights = sum(p.numel() for p in model.parameters())
    with torch.inference_mode(False), torch.no_grad():
        network = DepthArtNetwork(model.to(device), dtype, decoding, consume=True)
    del model
    give_back_freed_memory()
    return DepthArtEstimator(network, described(parameters=weights, metric=False), memory, accelerate)


def reduced_window_px(config: DepthProConfig, fraction: Fraction) -> int:
    """Side of a window at a fraction of the trained resolution.

    Raises:
        InputError: it is not a multiple of four patches.
    """
    window_px = config.window_px * fraction
    if window_px % (4 * config.patch_px):
        raise InputError(
            f"this network's windows of {config.window_px} pixels cannot be reduced to {fraction}: the side must stay "
            f"a multiple of {4 * config.patch_px} pixels; choose another resolution"
        )
    return int(window_px)


def _approximations(input_px: int, resolution: str, quantise: str, reuse_tiles: float) -> tuple[str, ...]:
    """What makes depth differ from the exact network's, in words."""
    said = []
    if resolution != "full":
        said.append(f"input {input_px} pixels wide instead of the trained size")
    if quantise != "off":
        said.append(f"{quantise} products in the transformers")
    if reuse_tiles > 0:
        said.append(f"windows that changed by at most {reuse_tiles:g} levels are reused")
    return tuple(said)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name} {value!r} is unknown: choose {', '.join(choices)}")


def resolve_device(device: str) -> torch.device:
    """`auto` or a torch device name to a device that can be used.

    Raises:
        InputError: no such device on this machine.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen)
    except (RuntimeError, AssertionError) as error:  # the latter where torch is built without CUDA
        reason = first_line(error)
        raise InputError(f"device {device!r} cannot be used ({reason}): choose auto, cpu, or cuda") from error
    return chosen


def resolve_precision(precision: str, device: torch.device) -> torch.dtype:
    """`auto` or a number format to a dtype.

    Raises:
        InputError: not one of `PRECISIONS`.
    """
    if precision == "auto":
        # the published weights are float16: on CUDA nothing is lost by computing in it
        return torch.float16 if device.type == "cuda" else torch.float32
    if precision not in PRECISIONS:
        raise InputError(f"precision {precision!r} is unknown: choose auto, {', '.join(PRECISIONS)}")
    return PRECISIONS[precision]
