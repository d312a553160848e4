# SPDX-License-Identifier: Apache-2.0
"""ScanNet's recordings: one `.sens` file of version 4 with all frames of a scene, little endian."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.encoded_images import MAX_IMAGE_MEGAPIXELS, check_megapixels
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import existing
from depthpro_ros.evaluation.datasets.formats.images import decode_rgb, units_to_metres

_VERSION = 4
_COLOUR_PNG, _COLOUR_JPEG = 1, 2
_DEPTH_RAW, _DEPTH_ZLIB = 0, 1


@dataclass(frozen=True)
class SensFrame:
    """Where a frame lies in the file.

    Attributes:
        number: from 0.
        camera_to_world: float64 [4, 4]; not finite where tracking was lost.
        offset, colour_bytes, depth_bytes: of the colour image, which the depth map follows.
    """

    number: int
    camera_to_world: NDArray[np.float64]
    offset: int
    colour_bytes: int
    depth_bytes: int


@dataclass(frozen=True)
class SensFile:
    """Header and index of one recording.

    Attributes:
        colour_k, depth_k: intrinsics, float64 [4, 4].
        colour_size, depth_size: (width, height).
        depth_compression: 0 none, 1 zlib.
        units_per_metre: of the stored depth.
    """

    path: Path
    colour_k: NDArray[np.float64]
    depth_k: NDArray[np.float64]
    colour_size: tuple[int, int]
    depth_size: tuple[int, int]
    depth_compression: int
    units_per_metre: float
    frames: tuple[SensFrame, ...]

    def read(self, frame: SensFrame) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """The colour image, uint8 [H, W, 3], and the depth in metres, float32 [h, w], NaN where unknown.

        Raises:
            InputError: the file is damaged at this frame.
        """
        source = f"{self.path} frame {frame.number}"
        width, height = self.depth_size
        check_megapixels(width, height, MAX_IMAGE_MEGAPIXELS, f"depth of {source}")
        with self.path.open("rb") as file:
            file.seek(frame.offset)
            colour = _take(file, frame.colour_bytes, self.path)
            stored = _take(file, frame.depth_bytes, self.path)
        try:
            # one byte more than wanted, so that what is too long is seen and not unpacked
            packed = self.depth_compression == _DEPTH_ZLIB
            units = zlib.decompressobj().decompress(stored, 2 * width * height + 1) if packed else stored
        except zlib.error as error:
            raise InputError(f"{source}: depth cannot be unpacked: {error}") from error
        if len(units) != 2 * width * height:
            raise InputError(f"{source}: {len(units)} bytes of depth, {width}x{height} need {2 * width * height}")
        depth = units_to_metres(np.frombuffer(units, "<u2").reshape(height, width), self.units_per_metre)
        return decode_rgb(colour, source), depth


def read_sens(path: Path) -> SensFile:
    """Read the header and find the frames, without reading their pixels.

    Raises:
        InputError: missing, of another version or compression, or cut off.
    """
    with existing(path).open("rb") as file:
        (version,) = _unpack(file, "I", path)
        if version != _VERSION:
            raise InputError(f"{path} is of version {version}, expected {_VERSION}")
        (name_length,) = _unpack(file, "Q", path)
        _take(file, name_length, path)
        colour_k, _, depth_k, _ = (_matrix(file, path) for _ in range(4))
        colour, depth, *sizes, units_per_metre, count = _unpack(file, "iiIIIIfQ", path)
        if colour not in (_COLOUR_PNG, _COLOUR_JPEG) or depth not in (_DEPTH_RAW, _DEPTH_ZLIB):
            raise InputError(
                f"{path} has colour of compression {colour} and depth of {depth}, expected colour 1 (PNG) or 2 (JPEG) "
                "and depth 0 (none) or 1 (zlib): export it with ScanNet's SensReader"
            )
        frames = tuple(_frames(file, count, path))
    colour_size, depth_size = (sizes[0], sizes[1]), (sizes[2], sizes[3])
    return SensFile(path, colour_k, depth_k, colour_size, depth_size, depth, units_per_metre, frames)


def _frames(file: BinaryIO, count: int, path: Path) -> Iterator[SensFrame]:
    length = path.stat().st_size
    for number in range(count):
        pose = _matrix(file, path)
        _, _, colour_bytes, depth_bytes = _unpack(file, "QQQQ", path)
        frame = SensFrame(number, pose, file.tell(), colour_bytes, depth_bytes)
        if file.tell() + colour_bytes + depth_bytes > length:
            raise InputError(f"{path} ends in frame {number} of {count}: copy it again")
        file.seek(colour_bytes + depth_bytes, 1)
        yield frame


def _matrix(file: BinaryIO, path: Path) -> NDArray[np.float64]:
    return np.array(_unpack(file, "16f", path), np.float64).reshape(4, 4)


def _unpack(file: BinaryIO, layout: str, path: Path) -> tuple:
    layout = f"<{layout}"
    return struct.unpack(layout, _take(file, struct.calcsize(layout), path))


def _take(file: BinaryIO, count: int, path: Path) -> bytes:
    here = file.tell()
    if count > path.stat().st_size - here:
        raise InputError(f"{path} ends within the {count} bytes that follow byte {here}: copy it again")
    return file.read(count)
