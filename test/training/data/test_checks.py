# SPDX-License-Identifier: Apache-2.0
"""What is said about a data set before a run."""

from dataclasses import replace

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.frames import RgbdFrame
from depthpro_ros.training.data.checks import check_frames

from .memory import MemorySet, room


def with_depth(change, count: int = 3) -> MemorySet:
    return MemorySet([replace(f, depth_m=change(f.depth_m).astype(np.float32)) for f in map(room, range(count))])


def test_a_good_set():
    report = check_frames(MemorySet([room(seed) for seed in range(20)]), at_most=5)
    assert (report.frames, report.looked_at, report.sizes) == (20, 5, ((32, 24),))
    assert report.median_depth_m == pytest.approx(2.5, abs=0.2)
    assert report.valid_share == 1
    # 2 atan(32 / 60)
    assert report.fov_deg == pytest.approx((56.145, 56.145), abs=0.01)
    assert report.warnings == ()
    assert report.text.startswith("memory: 20 frames of 32x24 px, median depth 2.") and "\n" not in report.text


def test_frames_are_spread_over_the_set():
    seen = []

    class Spy(MemorySet):
        def frame(self, index: int) -> RgbdFrame:
            seen.append(index)
            return super().frame(index)

    check_frames(Spy([room()] * 101), at_most=5)
    assert seen == [0, 25, 50, 75, 100]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d: d * np.nan, "none of 3 frames has any valid depth"),
        (lambda d: -d, "none of 3 frames has any valid depth"),
        (lambda d: np.rint(d * 1000), "likely millimetres: set depth_scale: 1000"),
        (lambda d: d * 1000.7, "set depth_scale"),
        (lambda d: d / 1000, "metres was likely divided as if it were millimetres; set depth_scale: 1 "),
        (lambda d: np.full_like(d, 2.0), "one depth everywhere"),
    ],
)
def test_depth_that_nothing_can_be_learnt_from(change, problem):
    with pytest.raises(InputError, match=problem):
        check_frames(with_depth(change))


def test_depth_without_a_unit_may_be_of_any_size():
    for change in (lambda d: np.rint(d * 1000), lambda d: d / 1000):
        assert check_frames(with_depth(change), "non_metric").valid_share == 1


def test_whole_metres_nearby_and_far_landscapes_are_fine():
    assert check_frames(with_depth(np.rint)).warnings == ()
    assert check_frames(with_depth(lambda d: d * 100.3)).median_depth_m > 200


def test_holes_and_sky_are_counted():
    def change(depth):
        depth = depth.copy()
        depth[0, :16], depth[0, 16:] = np.nan, np.inf
        return depth

    assert check_frames(with_depth(change)).valid_share == pytest.approx(1 - 16 / (24 * 32))


def test_an_empty_set():
    with pytest.raises(InputError, match="memory is empty"):
        check_frames(MemorySet([]))


@pytest.mark.parametrize("fx_px", [0.5, 500.0])
def test_impossible_fields_of_view(fx_px):
    with pytest.raises(InputError, match="field of view.*fx must be in pixels"):
        check_frames(MemorySet([room(fx_px=fx_px)]))


def test_frames_that_cannot_be_read_are_told():
    report = check_frames(MemorySet([room(), None]))
    assert report.warnings == ("frame 1 cannot be used (the file is damaged)",)
    with pytest.raises(InputError, match="none of 2 frames can be used.*damaged"):
        check_frames(MemorySet([None, None]))


@pytest.mark.parametrize(
    ("frames", "warning"),
    [
        ([room(), replace(room(), depth_m=room().depth_m * np.float32(np.nan))], "1 of 2 frames have no valid depth"),
        ([room(), room(height=10)], "images have 2 sizes"),
        ([room(), replace(room(), depth_m=np.where(room().depth_m > 2, room().depth_m, 0))], "depth of 0 or less"),
        ([replace(room(i), depth_m=1 / room(i).depth_m) for i in range(8)], "not its inverse"),
    ],
)
def test_what_is_odd_is_said(frames, warning, caplog):
    report = check_frames(MemorySet(frames))
    assert any(warning in text for text in report.warnings)
    assert warning in report.text and warning in caplog.text
