# SPDX-License-Identifier: Apache-2.0
"""Arguments that several subcommands share, what they were called with and from where, and types for argparse."""

from __future__ import annotations

import argparse
import math
import shlex
import sys
from pathlib import Path
from typing import Any

from depthpro_ros.errors import InputError

DECODINGS = ("argmax", "sampled", "spread")


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """--model, --device and --precision, as `load_estimator` takes them."""
    parser.add_argument(
        "--model",
        default="auto",
        help="auto (Apple's weights where found, else the small bundled model), depth_pro, depth_pro_nano, depthart_ar "
        "(up to scale), or a path: depth_pro.pt, a Hugging Face folder, or a .safetensors file (default: %(default)s)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, ... (default: %(default)s)")
    parser.add_argument(
        "--precision",
        default="auto",
        choices=("auto", "float32", "float16", "bfloat16"),
        help="auto is float16 on CUDA, else float32 (default: %(default)s)",
    )


def add_speed_arguments(parser: argparse.ArgumentParser) -> None:
    """--memory, --resolution, --quantise and --accelerate, as `load_estimator` takes them."""
    parser.add_argument(
        "--memory",
        default="auto",
        choices=("auto", "low"),
        help="low takes less memory and longer, for the same depth; auto does so once memory runs out "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--resolution",
        default="full",
        choices=("full", "two_thirds", "half"),
        help="of the network's input; all but full are approximate (default: %(default)s)",
    )
    parser.add_argument(
        "--quantise",
        default="off",
        choices=("off", "int8", "fp8"),
        help="the transformers' products in eight bits: approximate (default: %(default)s)",
    )
    parser.add_argument(
        "--accelerate",
        default="auto",
        choices=("auto", "eager", "graphs", "compile"),
        help="auto is CUDA graphs on CUDA, else eager; compile takes a minute or more at first (default: %(default)s)",
    )


def add_decoding_arguments(parser: argparse.ArgumentParser) -> None:
    """--decoding, --samples and --seed of autoregressive models, as `load_estimator` takes them."""
    group = parser.add_argument_group("autoregressive models, such as depthart_ar")
    group.add_argument(
        "--decoding",
        choices=DECODINGS,
        help="the likeliest token everywhere; the mean of several that are drawn; or several whole drawings, whose "
        "spread is a measure of doubt (default: the model's own)",
    )
    group.add_argument("--samples", metavar="N", type=positive_int, help="how many are drawn")
    group.add_argument("--seed", metavar="N", type=int, help="of the drawing: the same one draws the same")


def decoding_of(args: argparse.Namespace) -> str:
    """What was asked for by `add_decoding_arguments`, in words; empty where nothing was."""
    parts = [] if args.decoding is None else [str(args.decoding)]
    parts += [] if args.samples is None else [f"{args.samples} samples"]
    parts += [] if args.seed is None else [f"seed {args.seed}"]
    return ", ".join(parts)


def load_options(args: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments of `load_estimator` that the functions here have read.

    Those of `add_decoding_arguments` are there only where the user gave them: other models do not know them.
    """
    names = ("device", "precision", "memory", "resolution", "quantise", "accelerate")
    given = {name: getattr(args, name, None) for name in ("decoding", "samples", "seed")}
    return {name: getattr(args, name) for name in names} | {k: v for k, v in given.items() if v is not None}


def command_line() -> str:
    """What was typed."""
    return shlex.join(["depthpro", *sys.argv[1:]])


def repository() -> Path:
    """The checkout whose pages --docs makes.

    Raises:
        InputError: this package is installed without one.
    """
    from depthpro_ros.bench.provenance import checkout

    root = checkout()
    if root is None:
        raise InputError("--docs needs a checkout of the repository: this package is installed without one")
    return root


def positive_float(text: str) -> float:
    """A finite number above 0."""
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text} must be a finite number above 0")
    return value


def positive_int(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} must be at least 1")
    return value
