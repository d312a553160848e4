# SPDX-License-Identifier: Apache-2.0
"""Float32 rows without a header, as ETH3D stores depth in files that end with .JPG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import read_bytes


def read_raw_depth(path: Path, width: int, height: int) -> NDArray[np.float32]:
    """Depth in metres, float32 [height, width], NaN where the file has no finite number above 0.

    Args:
        path: little-endian float32, row by row.
        width, height: of the photograph; the file does not tell.

    Raises:
        InputError: missing, or of another length.
    """
    content = read_bytes(path)
    if len(content) != 4 * width * height:
        raise InputError(
            f"{path} has {len(content)} bytes, depth of a {width}x{height} photograph has {4 * width * height}: "
            "this depth belongs to another version of the photograph"
        )
    depth = np.frombuffer(content, "<f4").reshape(height, width).astype(np.float32)
    return np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(np.nan))
