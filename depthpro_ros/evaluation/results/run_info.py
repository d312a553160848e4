# SPDX-License-Identifier: Apache-2.0
"""How results were made: what has to stand beside every figure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SourceKind = Literal["bag", "bags", "node", "dataset", "fleet"]


@dataclass(frozen=True)
class ModelInfo:
    """Which model predicted.

    Attributes:
        name: as registered, or the file's.
        weights_sha256: of the weights file; of its index where there are several.
        parameters: number of weights.
        device, precision: where and in which number format.
        metric: whether it predicts metres; else depth up to scale, of which every figure is after an alignment.
        decoding: how its values were drawn, as asked for; empty where nothing was.
    """

    name: str
    weights_sha256: str = ""
    parameters: int = 0
    device: str = ""
    precision: str = ""
    metric: bool = True
    decoding: str = ""


@dataclass(frozen=True)
class Settings:
    """What must be equal for two results to be comparable.

    Attributes:
        mask: which ground truth counts, in words.
        alignments: of which scores there are; the first is the headline.
        invalid: what invalid predictions are.
        metrics: groups of figures beside the scores.
        focal: whose focal length the depth was made with.
        frames: which frames of the source, in words.
        extra: what else differs from the usual, by name.
    """

    mask: str
    alignments: tuple[str, ...]
    invalid: str
    metrics: tuple[str, ...]
    focal: str
    frames: str = "all"
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """By which two results can tell whether they were made alike."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class RunInfo:
    """How results were made.

    Attributes:
        kind: bag (offline), bags (two recordings compared), node (live), dataset, or fleet.
        source: name of what was evaluated.
        command: what to type for the same.
        model: None where predictions were recorded before.
        settings: what must be equal to compare.
        topics: of a bag, by what they are used as.
        versions: of this package and those that matter, by name.
        machine: processor, cores, GPU.
        started: ISO 8601, UTC.
        notes: what a reader should know: what was wrong with the bag, how stamps matched, what was skipped.
    """

    kind: SourceKind
    source: str
    command: str
    model: ModelInfo | None
    settings: Settings
    topics: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    machine: str = ""
    started: str = ""
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**asdict(self), "settings_sha256": self.settings.sha256}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RunInfo:
        """The reverse."""
        settings = value["settings"]
        lists = {key: tuple(settings[key]) for key in ("alignments", "metrics")}
        rest = {key: item for key, item in value.items() if key not in ("settings", "settings_sha256", "model")}
        model = value["model"]
        return cls(
            **{**rest, "notes": tuple(rest["notes"])},
            model=None if model is None else ModelInfo(**model),
            settings=Settings(**{**settings, **lists}),
        )
