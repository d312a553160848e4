# SPDX-License-Identifier: Apache-2.0
"""What a soak writes down while it lasts."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

COUNTS = {
    "images_in": "images in",
    "frames_out": "frames out",
    "dropped": "dropped",
    "idle": "not computed (no subscriber)",
    "refused": "refused",
    "waiting": "waiting",
    "in_progress": "in progress",
}
"""What the node counts, and what its diagnostics call that."""


@dataclass(frozen=True)
class Counts:
    """How the node's diagnostics account for its images since it started.

    Attributes:
        images_in: images received.
        frames_out: of these, published,
        dropped: thrown away for a newer one, or at a deactivation,
        idle: not computed, since nobody listened,
        refused: not served, with a reason,
        waiting, in_progress: neither yet.
    """

    images_in: int = 0
    frames_out: int = 0
    dropped: int = 0
    idle: int = 0
    refused: int = 0
    waiting: int = 0
    in_progress: int = 0

    @staticmethod
    def of(said: dict[str, str]) -> Counts:
        """From the keys and values of a diagnostic status."""
        return Counts(**{name: int(said.get(key, 0)) for name, key in COUNTS.items()})

    @property
    def missing(self) -> int:
        """Images received that are none of the rest; not 0 is an error."""
        return self.images_in - (
            self.frames_out + self.dropped + self.idle + self.refused + self.waiting + self.in_progress
        )

    @property
    def at_rest(self) -> bool:
        """Whether every image has met its fate."""
        return self.waiting == 0 and self.in_progress == 0

    def since(self, earlier: Counts) -> Counts:
        """What was added after that."""
        return Counts(*(a - b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(earlier), strict=True)))


@dataclass(frozen=True)
class Footprint:
    """What the node's process holds.

    Attributes:
        private_mib: memory that is no file's (anonymous, swapped out or not), MiB: its heap, above all.
        pss_mib: its share of everything that it maps (PSS).
        rss_mib: all that it maps and has touched (RSS), shared memory included.
        threads, files: threads, and open file descriptors.
        shared_files, shared_mib: files of /dev/shm that it maps, and their size.
        cpu_s: processor time since its start.
    """

    private_mib: float
    pss_mib: float
    rss_mib: float
    threads: int
    files: int
    shared_files: int
    shared_mib: float
    cpu_s: float


@dataclass(frozen=True)
class Sample:
    """One second of a soak.

    Attributes:
        time_s: since the soak began.
        transport: of the images: raw or compressed.
        phase: what the load did.
        footprint: of the node.
        counts: of the node's last diagnostics.
        sent: images that the load has published to this process.
        latency_ms: the median of the node's last hundred frames, from an image's arrival, as it said last.
        load: processes of the whole machine that wanted a processor, over the last minute.
    """

    time_s: float
    transport: str
    phase: str
    footprint: Footprint
    counts: Counts
    sent: int
    latency_ms: float
    load: float


@dataclass(frozen=True)
class Rest:
    """One phase that is the same each time: the like phases that are compared.

    One image after the other is sent, each once the one before is answered, to a subscriber that is there all the time.

    Attributes:
        time_s: since the soak began, at its end.
        transport: of the images.
        footprint: at its end, medians of several looks.
        clean_mib: memory of its own once the node is cleaned up thereafter, MiB: this is judged. What the heap of an
            active node keeps of large messages depends on where they happened to lie.
        latency_ms: from sending an image to its depth and cloud: the lower quartile, which others disturb least.
        cpu_ms: processor time of the node for a frame.
        sent: images sent,
        answered: of these, with depth and cloud received.
        counts: what the node counted meanwhile.
    """

    time_s: float
    transport: str
    footprint: Footprint
    clean_mib: float
    latency_ms: float
    cpu_ms: float
    sent: int
    answered: int
    counts: Counts


def write_csv(path: Path, samples: Iterable[Sample]) -> None:
    """One line for each sample, with a head of column names."""
    rows = [_flat(sample) for sample in samples]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)


def _flat(sample: Sample) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in dataclasses.asdict(sample).items():
        flat |= value if isinstance(value, dict) else {name: value}
    return {name: f"{value:.3f}" if isinstance(value, float) else value for name, value in flat.items()}
