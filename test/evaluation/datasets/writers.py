# SPDX-License-Identifier: Apache-2.0
"""Tiny files in the forms that data sets have on disk."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

RED_THEN_BLUE = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)


def photograph(path: Path, width: int, height: int) -> Path:
    """A PNG (or a JPEG, which changes colours a little): red, with one blue pixel at the top right."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = 255
    rgb[0, -1] = (0, 0, 255)
    return png(path, rgb[..., ::-1])


def png(path: Path, image: NDArray) -> Path:
    """Any image that OpenCV writes, colours as BGR."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


def content(path: Path, data: bytes | str) -> Path:
    """A file of bytes or text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def npy(path: Path, array: NDArray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    return path


def pfm(path: Path, rows: NDArray, byte_order: str = "<") -> Path:
    """`rows` begin at the top; the file begins at the bottom."""
    height, width = rows.shape
    scale = "-1" if byte_order == "<" else "1"
    return content(path, f"Pf\n{width} {height}\n{scale}\n".encode() + rows[::-1].astype(f"{byte_order}f4").tobytes())


def calib(path: Path, f: float, cx: float, cy: float, doffs: float, baseline_mm: float, size: tuple[int, int]) -> Path:
    """Middlebury's calib.txt."""
    return content(
        path,
        f"cam0=[{f} 0 {cx}; 0 {f} {cy}; 0 0 1]\ncam1=[{f} 0 {cx + doffs}; 0 {f} {cy}; 0 0 1]\n"
        f"doffs={doffs}\nbaseline={baseline_mm}\nwidth={size[0]}\nheight={size[1]}\nndisp=280\n",
    )


def dpt(path: Path, depth: NDArray) -> Path:
    height, width = depth.shape
    return content(path, struct.pack("<fii", 202021.25, width, height) + depth.astype("<f4").tobytes())


def cam(path: Path, k: Sequence[float], world_to_camera: Sequence[float]) -> Path:
    return content(path, struct.pack("<f9d12d", 202021.25, *k, *world_to_camera))


def sens(
    path: Path,
    frames: Sequence[tuple[bytes, bytes, Sequence[float]]],
    colour_size: tuple[int, int],
    depth_size: tuple[int, int],
    k: Sequence[float],
    depth_compression: int = 1,
) -> Path:
    """ScanNet's recording; each frame is an encoded image, packed depth, and a pose of 16 numbers."""
    name = b"StructureSensor"
    identity = np.eye(4).ravel()
    header = struct.pack("<IQ", 4, len(name)) + name
    for matrix in (k, identity, k, identity):
        header += struct.pack("<16f", *matrix)
    header += struct.pack("<iiIIIIfQ", 2, depth_compression, *colour_size, *depth_size, 1000.0, len(frames))
    body = b"".join(
        struct.pack("<16fQQQQ", *pose, 1, 2, len(image), len(depth)) + image + depth for image, depth, pose in frames
    )
    return content(path, header + body)
