# SPDX-License-Identifier: Apache-2.0
"""Fetch Apple's weights from Hugging Face. Call it only after the user agreed to their licence."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from depthpro_ros.errors import InputError, WeightsError, first_line
from depthpro_ros.models.registry import weights_home
from depthpro_ros.models.verify import WeightsReport, verify

_HF_FILES = ["config.json", "*.safetensors", "model.safetensors.index.json", "LICENSE*"]


def fetched_path(repo: str) -> Path:
    """Where `fetch` puts a repository's weights, which is where `find_apple_weights` looks.

    Raises:
        InputError: not a repository with Apple's Depth Pro weights.
    """
    names = {"apple/DepthPro": "depth_pro.pt", "apple/DepthPro-hf": "DepthPro-hf"}
    if repo not in names:
        raise InputError(f"repository {repo!r} is unknown: choose one of {', '.join(names)}")
    return weights_home() / names[repo]


def fetch(repo: str) -> WeightsReport:
    """Download weights, verify them, and only then put them where they are found.

    A download that was interrupted continues where it stopped.

    Raises:
        WeightsError: no network, or what arrived is not Depth Pro.
        InputError: an unknown repository, or huggingface_hub is not installed.
    """
    target = fetched_path(repo)
    try:
        from huggingface_hub import hf_hub_download, snapshot_download
    except ImportError as error:
        raise InputError("fetching weights needs huggingface_hub: pip install huggingface_hub") from error
    arriving = target.parent / "arriving" / target.name
    try:
        if repo == "apple/DepthPro":
            hf_hub_download(repo, target.name, local_dir=arriving.parent)
        else:
            snapshot_download(repo, local_dir=arriving, allow_patterns=_HF_FILES)
    # errors of huggingface_hub and of the two HTTP libraries below it, with no common base
    except Exception as error:
        reason = first_line(error)
        raise WeightsError(
            f"{repo} could not be fetched ({reason}): run the command again to continue, or download it in a "
            f"browser from https://huggingface.co/{repo} and put it at {target}"
        ) from error
    report = verify(arriving)
    os.replace(arriving, target)
    moved = tuple((target / file.name if target.is_dir() else target, digest) for file, digest in report.sha256)
    return replace(report, path=target, sha256=moved)
