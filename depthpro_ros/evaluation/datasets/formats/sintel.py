# SPDX-License-Identifier: Apache-2.0
"""MPI Sintel's depth (.dpt) and camera (.cam) files; everything little endian."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import read_bytes

TAG = struct.pack("<f", 202021.25)
"""The first four bytes of both, which read "PIEH"."""
_CAM_BYTES = 4 + 8 * (9 + 12)


@dataclass(frozen=True)
class SintelCamera:
    """x = K [R | t] X.

    Attributes:
        k: float64 [3, 3].
        world_to_camera: [R | t], float64 [3, 4].
    """

    k: NDArray[np.float64]
    world_to_camera: NDArray[np.float64]

    @property
    def camera_to_world(self) -> NDArray[np.float64]:
        """The inverse, float64 [4, 4]."""
        return np.linalg.inv(np.vstack([self.world_to_camera, [0.0, 0.0, 0.0, 1.0]]))


def read_dpt(path: Path) -> NDArray[np.float32]:
    """Depth in metres, float32 [H, W]. Sky is a finite depth, far beyond everything.

    Raises:
        InputError: missing, without the tag, or cut off.
    """
    content = _tagged(path)
    width, height = struct.unpack("<ii", content[4:12]) if len(content) >= 12 else (0, 0)
    if width < 1 or height < 1 or len(content) != 12 + 4 * width * height:
        raise InputError(f"{path} has {len(content)} bytes, a header and {width}x{height} pixels were expected")
    return np.frombuffer(content, "<f4", offset=12).reshape(height, width).astype(np.float32)


def read_cam(path: Path) -> SintelCamera:
    """Intrinsics and pose.

    Raises:
        InputError: missing, without the tag, or of another length.
    """
    content = _tagged(path)
    if len(content) != _CAM_BYTES:
        raise InputError(f"{path} has {len(content)} bytes, expected {_CAM_BYTES}")
    numbers = np.frombuffer(content, "<f8", offset=4)
    return SintelCamera(numbers[:9].reshape(3, 3), numbers[9:].reshape(3, 4))


def _tagged(path: Path) -> bytes:
    content = read_bytes(path)
    if content[:4] != TAG:
        raise InputError(f"{path} begins with {content[:4]!r}, expected {TAG!r}: not a file of MPI Sintel")
    return content
