# SPDX-License-Identifier: Apache-2.0
"""DIS-5k (Qin et al. 2022): thin and intricate things, segmented."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import one_of
from depthpro_ros.evaluation.datasets.formats.files import read_lines
from depthpro_ros.evaluation.datasets.matting import MattingEntry, MattingSet

PARTS = ("DIS-VD", "DIS-TE1", "DIS-TE2", "DIS-TE3", "DIS-TE4", "DIS-TR")


class Dis5k(MattingSet):
    """One part or all of them, which are the scenes.

    Args:
        part: `VD`, `TE1` to `TE4`, `TR`, or `all`. Ignored with `frames`.
        frames: a text file that names photographs, such as `dis5k_sample_list.txt`, the 200 on which Depth Pro was
            scored; each line ends with `DIS-VD/im/NAME.jpg`.
    """

    name = "dis5k"
    tree = """
DIS-VD/             (and DIS-TE1 to DIS-TE4, DIS-TR)
    im/NAME.jpg
    gt/NAME.png
"""

    def __init__(self, root: Path, *, part: str = "all", frames: str | Path | None = None) -> None:
        part = one_of("part", part, (*(name.removeprefix("DIS-") for name in PARTS), "all"))
        self._parts = PARTS if part == "all" else (f"DIS-{part}",)
        self._list = None if frames is None else Path(frames)
        super().__init__(root)

    def _find(self) -> Iterator[MattingEntry]:
        if self._list is not None:
            for line in read_lines(self._list):
                part, folder, name = ("", "", *Path(line).parts)[-3:]
                if part not in PARTS or folder != "im":
                    raise InputError(f"{self._list} has the line {line!r}, expected DIS-VD/im/NAME.jpg")
                yield self._entry(self.root / part / "im" / name)
        else:
            for part in self._parts:
                for image in sorted((self.root / part / "im").glob("*.jpg")):
                    yield self._entry(image)

    def _entry(self, image: Path) -> MattingEntry:
        part = image.parents[1]
        return MattingEntry(f"{part.name}/{image.stem}", part.name, image, part / "gt" / f"{image.stem}.png")
