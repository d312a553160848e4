# SPDX-License-Identifier: Apache-2.0
"""rgbd_sync joins what we publish, by equal stamps, with the parameters of rtabmap.launch.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .conftest import Say, parameters_of
from .models import Refused
from .models.reading import stamp
from .models.rgbd_sync import INPUTS, RgbdSync, points_of_rgbd
from .rendered import Scene

DEPTH, SYNC = parameters_of("rtabmap.yaml", "depth_pro"), parameters_of("rtabmap.yaml", "rgbd_sync")


@pytest.fixture(scope="module")
def frames(say: Say, box: Scene) -> list[dict[str, Any]]:
    return [say(box, **DEPTH) for _ in range(3)]


def test_exact_stamps_are_joined_in_any_order(frames: list[dict[str, Any]]) -> None:
    assert SYNC["approx_sync"] is False
    for order in (INPUTS, INPUTS[::-1], INPUTS[1:] + INPUTS[:1]):
        sync = RgbdSync(SYNC["sync_queue_size"])
        for frame in frames:
            for name in order:
                sync.receive(name, frame[name])
        assert [stamp(joined["rgb/image"]) for joined in sync.joined] == [stamp(f["rgb/image"]) for f in frames]
        assert not sync.waiting


def test_rtabmap_sees_the_box_and_no_sky(frames: list[dict[str, Any]], box: Scene) -> None:
    points = box.to_world(points_of_rgbd(frames[0]).reshape(-1, 3))
    seen = points[np.isfinite(points).all(-1)]
    assert seen[:, 0].max() <= DEPTH["max_depth_m"]
    on_box = (np.abs(seen[:, :2] - (2.8, -0.8)) < (0.01, 0.3)).all(-1) & (seen[:, 2] > 0.05)
    assert on_box.sum() > 500
    assert not ((seen[:, 2] > 0.85) & (seen[:, 0] > 0)).any(), "above the box there is sky only"


def test_flying_pixels_are_not_in_its_image(frames: list[dict[str, Any]], say: Say, box: Scene) -> None:
    kept = points_of_rgbd(frames[0])[..., 2]
    all_of_them = points_of_rgbd(say(box, **DEPTH | {"edge_filter": "off"}))[..., 2]
    removed = np.isnan(kept) & np.isfinite(all_of_them)
    assert 50 < removed.sum() < 0.05 * removed.size


def test_another_size_of_the_depth_would_be_refused(frames: list[dict[str, Any]], say: Say, box: Scene) -> None:
    with pytest.raises(Refused, match="calibration"):
        small = say(box)["rgb/camera_info"]
        small.width //= 2
        points_of_rgbd(frames[0] | {"rgb/camera_info": small})
