# SPDX-License-Identifier: Apache-2.0
"""Depth as millimetres, and PLY files, against the definitions of both formats."""

import numpy as np

from depthpro_ros.files import millimetres, write_ply


def test_millimetres_are_rounded_and_zero_means_none():
    metres = np.array([[1.2344, 1.2346, np.nan, np.inf, -np.inf, 0.0, -1.0, 65.535, 65.536, 1e30]], np.float32)
    assert millimetres(metres).tolist() == [[1234, 1235, 0, 0, 0, 0, 0, 65535, 0, 0]]
    assert millimetres(metres).dtype == np.uint16


def test_ply_holds_the_finite_points_and_their_colours(tmp_path):
    cloud = np.full((2, 2, 4), np.nan, np.float32)
    cloud[0, 1, :3], cloud[1, 0, :3] = (1.0, -2.0, 3.0), (0.5, 0.25, 8.0)
    bits = np.array([0x00FF8001, 0x00010203], np.uint32).view(np.float32)
    cloud[0, 1, 3], cloud[1, 0, 3] = bits
    assert write_ply(tmp_path / "cloud.ply", cloud) == 2
    head, body = (tmp_path / "cloud.ply").read_bytes().split(b"end_header\n")
    assert b"element vertex 2\n" in head and len(body) == 2 * 15
    first, second = body[:15], body[15:]
    assert np.frombuffer(first[:12], "<f4").tolist() == [1.0, -2.0, 3.0] and list(first[12:]) == [255, 128, 1]
    assert np.frombuffer(second[:12], "<f4").tolist() == [0.5, 0.25, 8.0] and list(second[12:]) == [1, 2, 3]
