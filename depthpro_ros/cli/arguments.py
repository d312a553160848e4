# SPDX-License-Identifier: Apache-2.0
"""Arguments that several subcommands share, and types for argparse."""

from __future__ import annotations

import argparse
import math


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """--model, --device and --precision, as `load_estimator` takes them."""
    parser.add_argument(
        "--model",
        default="auto",
        help="auto (Apple's weights where found, else the small bundled model), depth_pro, depth_pro_nano, or a "
        "path: depth_pro.pt, a Hugging Face folder, or a .safetensors file (default: %(default)s)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, ... (default: %(default)s)")
    parser.add_argument(
        "--precision",
        default="auto",
        choices=("auto", "float32", "float16", "bfloat16"),
        help="auto is float16 on CUDA, else float32 (default: %(default)s)",
    )


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
