# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from std_msgs.msg import Header

from depthpro_ros.compressed_depth import QUANTISATION_M, unpack_depth
from depthpro_ros.node.compressed import Encodings, PreviewWriter, compressed_depth
from depthpro_ros.visualise import colour_depth

DEPTH = torch.linspace(1, 9, 24 * 32).reshape(24, 32)
HEADER = Header(frame_id="optical")


def test_metres_are_packed_as_the_depth_image_is_encoded() -> None:
    message = compressed_depth(DEPTH, HEADER, Encodings("32FC1"))
    assert message.header == HEADER
    encoding, metres = unpack_depth(message.format, message.data)
    assert encoding == "32FC1"
    # z^2 / (2A), and a little for float32
    assert (np.abs(metres - DEPTH.numpy()) <= 1.001 * DEPTH.numpy() ** 2 / (2 * QUANTISATION_M) + 1e-6).all()


def test_millimetres_too() -> None:
    depth = DEPTH.clone()
    depth[0, 0], depth[0, 1], depth[0, 2] = torch.nan, torch.inf, 70.0
    encoding, values = unpack_depth(*_fields(compressed_depth(depth, HEADER, Encodings("16UC1"))))
    assert encoding == "16UC1" and values[0, :3].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(values[1:], np.round(DEPTH.numpy()[1:] * 1000))


@pytest.mark.parametrize(("limits", "expected"), [((2.0, 7.0), (2.0, 7.0)), ((0.0, 0.0), (None, None))])
def test_the_picture_shows_the_depth_in_its_limits(
    limits: tuple[float, float], expected: tuple[float | None, float | None]
) -> None:
    encodings = Encodings(jpeg_quality=95, preview_near_m=limits[0], preview_far_m=limits[1])
    depth = torch.linspace(1, 9, 160).expand(120, 160).contiguous()
    message = PreviewWriter().message(depth, HEADER, encodings)
    assert message.header == HEADER and message.format == "bgr8; jpeg compressed bgr8"
    rgb = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    assert np.abs(rgb - colour_depth(depth.numpy(), *expected)).mean() < 3


def _fields(message: object) -> tuple[str, object]:
    return message.format, message.data  # type: ignore[attr-defined]
