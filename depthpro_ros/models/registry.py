# SPDX-License-Identifier: Apache-2.0
"""Names of models, and where their weights are looked for."""

from __future__ import annotations

import os
from pathlib import Path

from depthpro_ros.errors import WeightsError

MODELS = ("auto", "depth_pro", "depth_pro_nano", "depthart_ar")
WEIGHTS_VARIABLE = "DEPTHPRO_WEIGHTS"
"""Environment variable that names Apple's weights (a file, or a Hugging Face folder)."""
NANO_WEIGHTS = Path(__file__).parent / "data" / "depth_pro_nano.safetensors"
NANO_NOTICE = (
    "depth_pro_nano knows only rendered scenes: a stand-in to try the node with, not to drive a robot with. "
    "For real images use Apple's weights: 'depthpro weights' says how to get them"
)
DEPTHART_WEIGHTS = Path(__file__).parent / "data" / "depthart_ar_nano.safetensors"
DEPTHART_NOTICE = (
    "depthart_ar is the small bundled model, which knows only rendered scenes, and its depth is up to a scale that "
    "changes from frame to frame: give the node a scale_source, or do not take its depth for metres"
)


def weights_home() -> Path:
    """The folder that fetched weights are kept in: $XDG_DATA_HOME/depthpro_ros or ~/.local/share/depthpro_ros."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "depthpro_ros"


def find_apple_weights() -> Path | None:
    """Apple's weights on this machine: where $DEPTHPRO_WEIGHTS points, else in `weights_home()`.

    Raises:
        WeightsError: the variable is set and names nothing.
    """
    named = os.environ.get(WEIGHTS_VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.exists():
            raise WeightsError(f"{WEIGHTS_VARIABLE} is {named!r}, which does not exist")
        return path
    candidates = (weights_home() / "depth_pro.pt", weights_home() / "DepthPro-hf")
    return next((path for path in candidates if path.exists()), None)


def find_model(model: str) -> tuple[str, Path, str]:
    """What a user means by a model, without loading it.

    Returns:
        Its name, the path of its weights, and what the user must know about it (empty if nothing).

    Raises:
        WeightsError: there are no such weights.
    """
    if model in ("auto", "depth_pro"):
        path = find_apple_weights()
        if path is not None:
            return "depth_pro", path, ""
        if model == "depth_pro":
            raise WeightsError(
                "Apple's Depth Pro weights were not found: run 'depthpro weights' to read their licence and fetch "
                f"them, set {WEIGHTS_VARIABLE} to depth_pro.pt, or give that path as the model"
            )
        return "depth_pro_nano", NANO_WEIGHTS, f"no Apple weights found, using the bundled model: {NANO_NOTICE}"
    if model == "depth_pro_nano":
        return model, NANO_WEIGHTS, NANO_NOTICE
    if model == "depthart_ar":
        return model, DEPTHART_WEIGHTS, DEPTHART_NOTICE
    path = Path(model).expanduser()
    if not path.exists():
        raise WeightsError(f"model {model!r} is neither one of {', '.join(MODELS)} nor an existing file or folder")
    return path.name, path, ""
