# SPDX-License-Identifier: Apache-2.0
"""AM-2k (Li et al. 2022): animals with their opacity."""

from __future__ import annotations

from collections.abc import Iterator

from depthpro_ros.evaluation.datasets.matting import MattingEntry, MattingSet


class Am2k(MattingSet):
    """The 200 photographs of the validation set."""

    name = "am2k"
    tree = """
validation/
    original/NAME.jpg
    mask/NAME.png
"""

    def _find(self) -> Iterator[MattingEntry]:
        folder = self.root / "validation"
        for image in sorted((folder / "original").glob("*.jpg")):
            yield MattingEntry(image.stem, self.name, image, folder / "mask" / f"{image.stem}.png")
