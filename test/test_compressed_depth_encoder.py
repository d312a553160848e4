# SPDX-License-Identifier: Apache-2.0
"""Packing depth, against a decoder written from the plugin's format.

compressed_depth_image_transport's message: `format` is the encoding, a semicolon and "compressedDepth png"; the data
are an int32 that is 0 (inverse depth), two float32 A and B, and a PNG of 16 bits and one channel. For 32FC1 a value v
above 0 is the depth A / (v - B), and 0 is none; for 16UC1 v is the value itself.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from depthpro_ros.compressed_depth import FARTHEST_ERROR, QUANTISATION_M, pack_depth, quantisation_m, unpack_depth
from depthpro_ros.errors import InputError


def read_png(data: bytes) -> np.ndarray:
    """A PNG of 16 bits and one channel, by the PNG specification: chunks, deflate, the five filters."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, compressed, size = 8, b"", (0, 0)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            *size, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert (bits, colour, interlaced) == (16, 0, 0)
        compressed += body if kind == b"IDAT" else b""
        at += 12 + length
    width, height = size
    raw, step = zlib.decompress(compressed), 2 * width
    rows, above = [], [0] * step
    for v in range(height):
        kind, line = raw[v * (step + 1)], list(raw[v * (step + 1) + 1 : (v + 1) * (step + 1)])
        for i in range(step):
            left, up, corner = (line[i - 2] if i > 1 else 0), above[i], (above[i - 2] if i > 1 else 0)
            guess = left + up - corner
            paeth = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            line[i] = (line[i] + (0, left, up, (left + up) // 2, paeth)[kind]) & 255
        rows.append(bytes(line))
        above = line
    return np.frombuffer(b"".join(rows), ">u2").reshape(height, width)


def plugin_reads(kind: str, data: np.ndarray) -> tuple[np.ndarray, float]:
    """What the plugin's decoder makes of a message, and its A."""
    encoding, transport = kind.split("; ")
    assert transport == "compressedDepth png"
    number, a, b = struct.unpack_from("<iff", data.tobytes())
    assert number == 0
    stored = read_png(data.tobytes()[12:])
    if encoding == "16UC1":
        return stored, a
    with np.errstate(divide="ignore"):
        return np.where(stored > 0, np.float32(a) / (stored.astype(np.float32) - np.float32(b)), np.nan), a


def scene(near_m: float, far_m: float) -> np.ndarray:
    """From near to far, evenly in inverse depth."""
    return (1 / np.linspace(1 / far_m, 1 / near_m, 24 * 32)).astype(np.float32).reshape(24, 32)


@pytest.mark.parametrize(("near_m", "far_m"), [(0.02, 5.0), (0.2, 80.0), (0.5, 2.0), (4.0, 1000.0), (3.0, 3.0)])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_inverse_depth_is_off_by_half_a_step_at_most(near_m: float, far_m: float, level: int) -> None:
    depth = scene(near_m, far_m)
    kind, data = pack_depth(depth, level)
    assert kind == "32FC1; compressedDepth png"
    read, a = plugin_reads(kind, data)
    # |1/z' - 1/z| <= 1/(2A), and so |z' - z| <= z z' / (2A); float32 divides with 2^-24
    assert (np.abs(1 / read - 1 / depth.astype(np.float64)) <= 0.5 / a + 2e-7 / depth).all()
    ours = unpack_depth(kind, data)
    assert ours[0] == "32FC1"
    np.testing.assert_array_equal(ours[1], read)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0, -2.0])
def test_what_is_no_depth_is_none_afterwards(bad: float) -> None:
    depth = scene(1.0, 10.0)
    depth[3:6] = bad
    read, _ = plugin_reads(*pack_depth(depth))
    assert np.isnan(read[3:6]).all() and np.isfinite(np.delete(read, slice(3, 6), 0)).all()
    assert np.isnan(plugin_reads(*pack_depth(np.full((2, 2), bad, np.float32)))[0]).all()


def test_the_step_is_the_plugins_for_common_depths_and_finer_for_far_ones() -> None:
    assert quantisation_m(scene(0.2, 80.0)) == QUANTISATION_M == 100 * 101
    far = scene(20.0, 5000.0)
    read, a = plugin_reads(*pack_depth(far))
    assert a == pytest.approx(5000 / (2 * FARTHEST_ERROR))
    assert (np.abs(read / far - 1) <= FARTHEST_ERROR * 1.01).all()


def test_a_near_speck_costs_precision_but_no_depth_wraps_around() -> None:
    depth = scene(1.0, 1500.0)
    depth[0, 0] = 0.01
    read, a = plugin_reads(*pack_depth(depth))
    assert a == pytest.approx(655.35) and read[0, 0] == pytest.approx(0.01, rel=1e-5)
    # beyond 2A nothing is left of 16 bits: no depth rather than a wrong one
    np.testing.assert_array_equal(np.isnan(read), depth > 2 * a)


def test_millimetres_are_lossless() -> None:
    depth = np.random.default_rng(0).integers(0, 65536, (24, 32), np.uint16)
    kind, data = pack_depth(depth)
    assert kind == "16UC1; compressedDepth png"
    np.testing.assert_array_equal(plugin_reads(kind, data)[0], depth)
    np.testing.assert_array_equal(unpack_depth(kind, data)[1], depth)


def test_levels_trade_time_for_size() -> None:
    smooth = scene(0.5, 20.0)
    assert len(pack_depth(smooth, 9)[1]) <= len(pack_depth(smooth, 1)[1]) < len(pack_depth(smooth, 0)[1])


def test_an_image_without_pixels_is_refused() -> None:
    with pytest.raises(InputError, match="not empty"):
        pack_depth(np.empty((0, 4), np.float32))
