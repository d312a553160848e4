# SPDX-License-Identifier: Apache-2.0
"""Points seen by a camera."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.projection import cloud_points, project_points, reproject_depth

CAMERA = Intrinsics(16, 12, 10.0, 10.0, 7.5, 5.5)


def shift(x: float = 0, y: float = 0, z: float = 0) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, 3] = x, y, z
    return pose


def test_each_point_is_on_its_pixel_and_the_nearest_counts() -> None:
    # u = 10 x / z + 7.5, v = 10 y / z + 5.5
    points = np.array([[0.1, 0.3, 2.0], [0.2, 0.6, 4.0], [-1.5, -1.1, 2.0], [0, 0, -3], [50, 0, 1], [np.nan, 0, 1]])
    depth = project_points(points, CAMERA)
    expected = np.full((12, 16), np.nan, np.float32)
    expected[7, 8] = 2
    expected[0, 0] = 2
    np.testing.assert_array_equal(depth, expected)
    assert depth.dtype == np.float32


def test_far_points_are_left_out() -> None:
    assert np.isnan(project_points(np.array([[0, 0, 5.0]]), CAMERA, max_depth_m=4.9)).all()


def test_what_shows_through_is_hidden() -> None:
    grid = np.stack(np.meshgrid(np.arange(16), np.arange(12)), axis=-1).reshape(-1, 2)
    rays = np.c_[(grid - [7.5, 5.5]) / 10, np.ones(len(grid))]
    near = (grid[:, 0] % 2 == 0) & (grid[:, 0] < 8)  # every other column of the left half
    depth = project_points(rays * np.where(near, 1.0, 3.0)[:, None], CAMERA, hidden_radius_px=1)
    assert (depth[:, 0:8:2] == 1).all()
    assert np.isnan(depth[:, 1:8:2]).all()
    assert (depth[:, 8:] == 3).all()


def test_a_wall_seen_from_the_side() -> None:
    # 0.2 m to the right at 2 m: 10 * 0.2 / 2 = 1 pixel
    wall = np.full((12, 16), 2, np.float32)
    depth = reproject_depth(wall, CAMERA, CAMERA, shift(x=0.2))
    assert np.isnan(depth[:, 0]).all()
    assert (depth[:, 1:] == 2).all()


def test_a_slanted_plane_seen_by_a_shifted_camera() -> None:
    # X / 2 + Z = 4 in the source; the target stands 0.3 m to the left and 0.5 m behind
    source, target = Intrinsics(320, 240, 200, 200, 160, 120), Intrinsics(160, 120, 90, 95, 79.5, 59.5)
    u = np.arange(320)
    depth = np.tile((4 / (1 + (u - 160) / 400)).astype(np.float32), (240, 1))
    seen = reproject_depth(depth, source, target, shift(x=0.3, z=0.5))
    # there it is (X - 0.3) / 2 + Z - 0.5 = 4
    x = np.arange(160)
    exact = np.tile(4.65 / (1 + (x - 79.5) / 180), (120, 1))
    both = np.isfinite(seen)
    assert both[20:100, 30:130].all()  # the target sees more than the source to all sides
    # a point is up to half a pixel from the centre of its pixel
    half_pixel = 0.5 * exact**2 / (4.65 * 180)
    assert (np.abs(seen - exact) <= half_pixel + 1e-5)[both].all()


def test_unknown_depth_stays_unknown() -> None:
    depth = np.full((12, 16), 2, np.float32)
    depth[3, 4], depth[5, 6] = np.nan, np.inf
    seen = reproject_depth(depth, CAMERA, CAMERA, np.eye(4))
    np.testing.assert_array_equal(np.isnan(seen), ~np.isfinite(depth))


def cloud(points: np.ndarray, kind: str = "<f4", step: int = 16, height: int = 1, padding: int = 0) -> SimpleNamespace:
    """A PointCloud2 with y first, to see that offsets are respected."""
    offsets = {"y": 0, "x": np.dtype(kind).itemsize, "z": 2 * np.dtype(kind).itemsize}
    layout = np.dtype(
        {"names": list(offsets), "formats": [kind] * 3, "offsets": list(offsets.values()), "itemsize": step}
    )
    packed = np.zeros(len(points), layout)
    packed["x"], packed["y"], packed["z"] = points.T
    rows = np.pad(packed.view(np.uint8).reshape(height, -1), ((0, 0), (0, padding)), constant_values=255)
    number = {"f4": 7, "f8": 8}[kind[1:]]
    return SimpleNamespace(
        fields=[SimpleNamespace(name=n, offset=o, datatype=number, count=1) for n, o in offsets.items()],
        is_bigendian=kind[0] == ">", point_step=step, row_step=rows.shape[1],
        height=height, width=len(points) // height, data=rows.reshape(-1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "step", "height", "padding"),
    [("<f4", 16, 1, 0), (">f4", 22, 1, 0), ("<f8", 24, 2, 5), ("<f4", 12, 3, 4)],
)
def test_layouts_of_clouds(kind: str, step: int, height: int, padding: int) -> None:
    points = np.arange(18.0).reshape(6, 3)
    points[2, 1] = np.nan
    found = cloud_points(cloud(points, kind, step, height, padding))
    np.testing.assert_array_equal(found, points[[0, 1, 3, 4, 5]])


def test_clouds_that_are_damaged() -> None:
    message = cloud(np.ones((4, 3)))
    message.data = message.data[:-1]
    with pytest.raises(InputError, match="cut off"):
        cloud_points(message)
    message = cloud(np.ones((4, 3)))
    message.fields = message.fields[1:]
    with pytest.raises(InputError, match="no field 'y', only x, z"):
        cloud_points(message)
    message = cloud(np.ones((4, 3)))
    message.fields[0].offset = 14
    with pytest.raises(InputError, match="field 'y' is of type 7 or beyond its point"):
        cloud_points(message)
