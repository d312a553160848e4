# SPDX-License-Identifier: Apache-2.0
"""RViz and Foxglove can draw what we publish."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import Say
from .models.viewers import check_compressed, check_depth_cloud, check_image, drawn_points
from .rendered import Scene


@pytest.mark.parametrize("organised", [True, False])
def test_the_cloud_is_drawn_in_the_images_colours(say: Say, box: Scene, organised: bool) -> None:
    said = say(box, cloud_organised=organised, edge_filter="off")
    points, colours = drawn_points(said["depth/points"])
    finite = np.isfinite(points).all(-1)
    assert finite.all() and len(points) > 10_000
    is_near = (box.depth_m <= 80).ravel()
    np.testing.assert_array_equal(colours, box.rgb.reshape(-1, 3)[is_near])


@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_images_are_shown_and_projected(say: Say, box: Scene, encoding: str) -> None:
    said = say(box, depth_encoding=encoding)
    for name in ("depth/image", "rgb/image"):
        check_image(said[name])
        check_depth_cloud(said["depth/image"], said[f"{name.split('/')[0]}/camera_info"])


@pytest.mark.parametrize("name", ["depth/image/compressed", "depth/image/compressedDepth"])
def test_compressed_images_name_their_format(say: Say, box: Scene, name: str) -> None:
    message = say(box)[name]
    assert message.header.frame_id
    if name.endswith("compressedDepth"):
        assert "compressedDepth" in message.format
        # image_transport's plugin puts a header of 12 bytes before the PNG
        message.data = message.data[12:]
    check_compressed(message)
