# SPDX-License-Identifier: Apache-2.0
"""How an evaluation is made, to stand beside its figures."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version

from depthpro_ros import __version__
from depthpro_ros.evaluation.bags.topics import Choice
from depthpro_ros.evaluation.results.run_info import ModelInfo, RunInfo, Settings, SourceKind
from depthpro_ros.evaluation.run.scoring import FrameScorer
from depthpro_ros.machine import machine

PACKAGES = ("torch", "numpy", "opencv-python", "opencv-python-headless", "rosbags")


def describe(
    kind: SourceKind,
    source: str,
    command: str,
    scorer: FrameScorer,
    *,
    model: ModelInfo | None,
    focal: str,
    frames: str = "all",
    choice: Choice | None = None,
    notes: Sequence[str] = (),
    extra: dict[str, str] | None = None,
) -> RunInfo:
    """Everything about a run, with versions and machine.

    Args:
        kind, source, command, model, notes: see `RunInfo`.
        scorer: says mask, alignments and metrics.
        focal, frames, extra: see `Settings`.
        choice: topics of a bag.
    """
    settings = Settings(
        scorer.mask.label, tuple(scorer.alignments), scorer.invalid, tuple(scorer.metrics), focal, frames, extra or {}
    )
    return RunInfo(
        kind,
        source,
        command,
        model,
        settings,
        topics={} if choice is None else _topics(choice),
        versions=_versions(),
        machine=machine([model.device] if model else []),
        started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        notes=tuple(notes),
    )


def _topics(choice: Choice) -> dict[str, str]:
    uses = {
        "image": choice.image,
        "camera_info": choice.camera_info,
        f"truth ({choice.truth_kind})": choice.truth,
        "camera_info of the truth": choice.truth_info,
        "depth units": choice.units,
    }
    return {use: topic for use, topic in uses.items() if topic}


def _versions() -> dict[str, str]:
    versions = {"depthpro_ros": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
