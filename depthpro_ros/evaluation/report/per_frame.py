# SPDX-License-Identifier: Apache-2.0
"""A table of all frames for spreadsheets and pandas."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from depthpro_ros.evaluation.results.record import FrameRecord

FIXED = (
    "index",
    "id",
    "scene",
    "stamp_ns",
    "skipped",
    "pixels",
    "width_px",
    "focal_used",
    "focal_estimated",
    "focal_true",
)


def write_per_frame(path: Path, records: Iterable[FrameRecord], figures: Sequence[str]) -> None:
    """Write one row for each frame, skipped ones with the reason.

    An empty cell is what a frame does not have, `nan` a figure that came to nothing. Numbers have all their digits.

    Args:
        path: file to write.
        figures: names of the columns after the fixed ones.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*FIXED, *figures])
        for record in records:
            focal = record.focal
            rows.writerow(
                [
                    *(record.index, record.id, record.scene, record.stamp_ns, record.skipped, record.pixels),
                    *(focal.width_px, focal.used, focal.estimated, focal.true),
                    *(record.figures.get(name) for name in figures),
                ]
            )
