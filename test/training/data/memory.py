# SPDX-License-Identifier: Apache-2.0
"""Frames in memory, for tests."""

from collections.abc import Sequence

import numpy as np

from depthpro_ros.errors import InputError
from depthpro_ros.frames import RgbdFrame


class MemorySet:
    """Frames as they are given; None is a frame that cannot be read."""

    def __init__(self, frames: Sequence[RgbdFrame | None], name: str = "memory") -> None:
        self.frames, self.name = list(frames), name

    def __len__(self) -> int:
        return len(self.frames)

    def frame(self, index: int) -> RgbdFrame:
        frame = self.frames[index]
        if frame is None:
            raise InputError("the file is damaged")
        return frame


def room(seed: int = 0, *, height: int = 24, width: int = 32, fx_px: float = 30.0) -> RgbdFrame:
    """Depths as indoors: 3 to 4 m at the top, 1 to 2 m at the bottom."""
    rng = np.random.default_rng(seed)
    depth = 3 - 2 * np.arange(height)[:, None] / height + rng.random((height, width))
    return RgbdFrame(rng.integers(0, 256, (height, width, 3), np.uint8), depth.astype(np.float32), fx_px)
