# SPDX-License-Identifier: Apache-2.0
"""Readings as points, by the definitions of sensor_msgs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.scale import cloud_points, range_point, scan_points


def test_a_scan_turns_anticlockwise_from_x() -> None:
    points = scan_points([1.0, 2.0, 3.0], -math.pi / 2, math.pi / 2, 0.1, 10.0)
    assert points == pytest.approx(np.array([[0, -1, 0], [2, 0, 0], [0, 3, 0]]), abs=1e-6)
    assert points.dtype == np.float32


def test_readings_outside_the_limits_and_marks_of_rep_117_are_left_out() -> None:
    ranges = [math.nan, math.inf, -math.inf, 0.0, 0.05, 1.0, 11.0, -1.0]
    assert scan_points(ranges, 0.0, 0.0, 0.1, 10.0) == pytest.approx(np.array([[1, 0, 0]]))


@pytest.mark.parametrize("ranges", [[], [math.nan] * 3])
def test_a_scan_that_saw_nothing_has_no_points(ranges: list[float]) -> None:
    assert scan_points(ranges, 0.0, 0.1, 0.1, 10.0).shape == (0, 3)


def test_scan_angles_must_be_finite() -> None:
    with pytest.raises(InputError, match="angles"):
        scan_points([1.0], math.nan, 0.1, 0.1, 10.0)


def test_a_range_is_along_x() -> None:
    assert range_point(2.5, 0.1, 4.0).tolist() == [[2.5, 0.0, 0.0]]


@pytest.mark.parametrize("range_m", [math.nan, math.inf, -math.inf, 0.0, 0.05, 4.5])
def test_a_range_outside_its_limits_is_no_point(range_m: float) -> None:
    assert range_point(range_m, 0.1, 4.0).shape == (0, 3)


XYZ = np.array([[[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]], [[7.0, 8.0, 9.0], [np.inf, 1.0, 2.0]]])


@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", ">f8"])
def test_finite_points_of_a_padded_cloud_in_any_number_format(kind: str) -> None:
    """Points with a field before, between and after x, y, z, and rows with padding at their end."""
    size = np.dtype(kind).itemsize
    offsets, step, row = (4, 4 + size, 8 + 2 * size), 12 + 3 * size, 2 * (12 + 3 * size) + 5
    data = bytearray(2 * row)
    for v in range(2):
        for u in range(2):
            for axis in range(3):
                at = v * row + u * step + offsets[axis]
                data[at : at + size] = np.array(XYZ[v, u, axis], kind).tobytes()
    points = cloud_points(
        bytes(data),
        width=2,
        height=2,
        point_step=step,
        row_step=row,
        offsets=offsets,
        float64=size == 8,
        is_bigendian=kind[0] == ">",
    )
    assert points.tolist() == [[1.0, 2.0, 3.0], [7.0, 8.0, 9.0]]


def packed(points: np.ndarray, **changes: object) -> np.ndarray:
    """A cloud of bare float32 points, through `cloud_points`."""
    fields: dict[str, object] = {
        "width": len(points),
        "height": 1,
        "point_step": 12,
        "row_step": 12 * len(points),
        "offsets": (0, 4, 8),
    }
    return cloud_points(points.astype("<f4").tobytes(), **{**fields, **changes})  # type: ignore[arg-type]


def test_a_large_cloud_is_thinned_out_evenly() -> None:
    points = np.repeat(np.arange(1000.0)[:, None], 3, 1)
    assert packed(points, at_most=300)[:, 0].tolist() == list(range(0, 1000, 4))


def test_an_empty_cloud_has_no_points() -> None:
    assert packed(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    "changes", [{"width": 9}, {"height": 2}, {"offsets": (0, 4, 9)}, {"offsets": (-1, 4, 8)}, {"row_step": 11}]
)
def test_sizes_that_contradict_each_other_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InputError, match="cloud"):
        packed(np.ones((4, 3)), **changes)
