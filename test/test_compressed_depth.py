# SPDX-License-Identifier: Apache-2.0
"""Packed depth, against an encoder written after the paper's own listing."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from depthpro_ros.compressed_depth import unpack_depth
from depthpro_ros.errors import InputError

DEPTH_MM = np.array([[0, 0, 1000, 1010, 990], [65535, 0, 0, 0, 1], [7, 7, 7, 0, 0]], np.uint16)


def rvl(depth: np.ndarray) -> bytes:
    """Value by value, as the listing of Wilson 2017 has it."""
    nibbles: list[int] = []

    def number(value: int) -> None:
        while True:
            nibble, value = value & 7, value >> 3
            nibbles.append(nibble | (8 if value else 0))
            if not value:
                return

    flat, at, previous = depth.reshape(-1).astype(int).tolist(), 0, 0
    while at < len(flat):
        zeros = at
        while at < len(flat) and flat[at] == 0:
            at += 1
        number(at - zeros)
        end = at
        while end < len(flat) and flat[end] != 0:
            end += 1
        number(end - at)
        while at < end:
            delta = flat[at] - previous
            number((delta << 1) ^ (delta >> 31))
            previous, at = flat[at], at + 1
    nibbles += [0] * (-len(nibbles) % 8)
    words = [int("".join(f"{n:x}" for n in nibbles[i : i + 8]), 16) for i in range(0, len(nibbles), 8)]
    return struct.pack("<ii", depth.shape[1], depth.shape[0]) + struct.pack(f"<{len(words)}I", *words)


def packed(content: bytes, a: float = 0, b: float = 0) -> np.ndarray:
    return np.frombuffer(struct.pack("<iff", 0, a, b) + content, np.uint8)


def png(values: np.ndarray) -> bytes:
    return cv2.imencode(".png", values)[1].tobytes()


@pytest.mark.parametrize("kind", ["16UC1; compressedDepth", "16UC1; compressedDepth png", "16UC1;compressedDepth png"])
def test_millimetres_as_png(kind: str) -> None:
    encoding, values = unpack_depth(kind, packed(png(DEPTH_MM)))
    assert encoding == "16UC1"
    np.testing.assert_array_equal(values, DEPTH_MM)


def test_rvl() -> None:
    noise = np.random.default_rng(0).integers(0, 65536, (31, 47)).astype(np.uint16)
    noise[np.random.default_rng(1).random(noise.shape) < 0.4] = 0
    for depth in (DEPTH_MM, noise, np.zeros((4, 4), np.uint16)):
        np.testing.assert_array_equal(unpack_depth("16UC1;compressedDepth rvl", packed(rvl(depth)))[1], depth)


def test_quantised_metres() -> None:
    # q = 100, z_max = 10: A = q (q + 1), B = 1 - A / z_max, v = A / z + B
    metres = np.array([[0.5, 1, 5], [2.5, 10, 3]])
    a = 100 * 101
    b = 1 - a / 10
    stored = np.round(a / metres + b).astype(np.uint16)
    stored[1, 2] = 0
    encoding, values = unpack_depth("32FC1; compressedDepth png", packed(png(stored), a, b))
    assert encoding == "32FC1" and values.dtype == np.float32
    np.testing.assert_allclose(values[0], metres[0], rtol=5e-4)
    assert np.isnan(values[1, 2])


@pytest.mark.parametrize(
    ("kind", "content", "problem"),
    [
        ("jpeg", b"x" * 40, "expected '16UC1; compressedDepth png'"),
        ("16UC1; compressedDepth png", b"", "cut off"),
        ("16UC1; compressedDepth png", b"no png", "no header of PNG"),
        ("16UC1; compressedDepth png", png(np.zeros((2, 2), np.uint8)), "no PNG of 16 bits"),
        ("16UC1; compressedDepth rvl", rvl(DEPTH_MM)[:-8], "cut off|do not fit"),
        ("16UC1; compressedDepth rvl", struct.pack("<iiI", -4, 4, 0), "claims -4x4"),
        ("16UC1; compressedDepth rvl", struct.pack("<iiI", 2**31 - 1, 2**31 - 1, 0), "at most 64 megapixels"),
        ("16UC1; compressedDepth rvl", struct.pack("<ii3I", 4, 4, 0x0FFFFFFF, 0xFFFFFFFF, 0xFFFFFFF7), "do not fit"),
        ("16UC1; compressedDepth rvl", struct.pack("<iiI", 4, 4, 0xFFFFFFFF), "no end of a number"),
    ],
)
def test_damage_is_named(kind: str, content: bytes, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        unpack_depth(kind, packed(content))
