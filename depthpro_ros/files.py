# SPDX-License-Identifier: Apache-2.0
"""Depth maps and point clouds as files that other programs open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_PLY_POINT = np.dtype([("xyz", "<f4", (3,)), ("rgb", "u1", (3,))])


def millimetres(depth_m: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Depth as 16-bit millimetres (REP 118): 0 where there is no depth, or none that fits (65.535 m).

    Args:
        depth_m: [H, W] metres.
    """
    scaled = np.where(np.isfinite(depth_m), depth_m, 0.0) * 1000.0
    return np.where((scaled > 0) & (scaled < 65535.5), np.rint(scaled), 0).astype(np.uint16)


def write_ply(path: Path, cloud: NDArray[np.float32], *, note: str = "") -> int:
    """Write the finite points of a cloud as a binary little-endian PLY with colours.

    Args:
        path: file to write.
        cloud: float32 [..., 4]: x, y, z in metres, and colour bits 0x00RRGGBB (see `depthpro_ros.cloud`).
        note: one more comment, in ASCII and one line.

    Returns:
        How many points were written.
    """
    flat = np.ascontiguousarray(cloud, dtype=np.float32).reshape(-1, 4)
    flat = flat[np.isfinite(flat[:, :3]).all(axis=1)]
    bits = np.ascontiguousarray(flat[:, 3]).view(np.uint32)
    points = np.empty(len(flat), dtype=_PLY_POINT)
    points["xyz"] = flat[:, :3]
    points["rgb"] = np.stack([(bits >> 16) & 255, (bits >> 8) & 255, bits & 255], axis=-1)
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        "comment metres, optical frame: x right, y down, z forward",
        *([f"comment {note}"] if note else []),
        f"element vertex {len(points)}",
        *(f"property float {name}" for name in ("x", "y", "z")),
        *(f"property uchar {name}" for name in ("red", "green", "blue")),
        "end_header",
    ]
    with path.open("wb") as file:
        file.write(("\n".join(lines) + "\n").encode("ascii"))
        file.write(points.tobytes())
    return len(points)
