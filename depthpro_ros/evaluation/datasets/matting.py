# SPDX-License-Identifier: Apache-2.0
"""Data sets of photographs with an opaque foreground; they know no depth, but where its edges are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry
from depthpro_ros.evaluation.datasets.formats.images import read_alpha, read_rgb
from depthpro_ros.evaluation.datasets.frame import DatasetFrame


@dataclass(frozen=True)
class MattingEntry(Entry):
    image: Path
    mask: Path


class MattingSet(Dataset[MattingEntry]):
    """A photograph and the opacity of its foreground, from 8 bits."""

    def _read(self, entry: MattingEntry) -> DatasetFrame:
        return DatasetFrame(entry.id, entry.scene, read_rgb(entry.image), alpha=read_alpha(entry.mask))
