# SPDX-License-Identifier: Apache-2.0
"""P3M-10k (Li et al. 2021): portraits with their opacity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from depthpro_ros.evaluation.datasets.dataset import one_of
from depthpro_ros.evaluation.datasets.matting import MattingEntry, MattingSet

_IMAGES = {"P3M-500-NP": "original_image", "P3M-500-P": "blurred_image"}


class P3m10k(MattingSet):
    """The two validation sets, which are the scenes: faces as they are (NP), and blurred (P).

    Args:
        part: `NP`, `P`, or `all`.
    """

    name = "p3m10k"
    tree = """
validation/P3M-500-NP/
    original_image/NAME.jpg
    mask/NAME.png
validation/P3M-500-P/
    blurred_image/NAME.jpg
    mask/NAME.png
"""

    def __init__(self, root: Path, *, part: str = "all") -> None:
        part = one_of("part", part, ("NP", "P", "all"))
        self._parts = tuple(_IMAGES) if part == "all" else (f"P3M-500-{part}",)
        super().__init__(root)

    def _find(self) -> Iterator[MattingEntry]:
        for part in self._parts:
            folder = self.root / "validation" / part
            for image in sorted((folder / _IMAGES[part]).glob("*.jpg")):
                yield MattingEntry(f"{part}/{image.stem}", part, image, folder / "mask" / f"{image.stem}.png")
