# SPDX-License-Identifier: Apache-2.0
"""Back-projection and packing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from depthpro_ros.camera import Intrinsics
from depthpro_ros.cloud import Projector, finite_points

CAMERA = Intrinsics(7, 5, 6.0, 8.0, 2.5, 1.75)
CPU = torch.device("cpu")


@pytest.mark.parametrize("stride", [1, 2, 3, 10])
def test_points_project_back_to_their_pixels(stride: int) -> None:
    depth = torch.rand(5, 7) + 0.5
    cloud = Projector(CAMERA, stride, CPU).pack(depth, None)
    x, y, z = cloud[..., 0], cloud[..., 1], cloud[..., 2]
    v, u = torch.meshgrid(torch.arange(0, 5, stride), torch.arange(0, 7, stride), indexing="ij")
    assert torch.equal(z, depth[::stride, ::stride])
    torch.testing.assert_close(CAMERA.fx * x / z + CAMERA.cx, u.float())
    torch.testing.assert_close(CAMERA.fy * y / z + CAMERA.cy, v.float())


def test_colour_is_the_packed_word_of_the_pixel() -> None:
    rgb = torch.arange(5 * 7 * 3, dtype=torch.uint8).view(5, 7, 3) * 2
    cloud = Projector(CAMERA, 2, CPU).pack(torch.ones(5, 7), rgb)
    words = cloud.numpy().view(np.uint32)[..., 3]
    r, g, b = (rgb[::2, ::2, c].numpy().astype(np.uint32) for c in range(3))
    assert np.array_equal(words, r << 16 | g << 8 | b)


@pytest.mark.parametrize("bad", [torch.inf, -torch.inf, torch.nan])
def test_depth_that_is_no_number_makes_a_nan_point(bad: float) -> None:
    depth = torch.ones(5, 7)
    depth[2, 3] = bad
    cloud = Projector(CAMERA, 1, CPU).pack(depth, None)
    assert cloud[2, 3, :3].isnan().all()
    assert cloud[..., :3].isnan().sum() == 3
    points = finite_points(cloud)
    assert points.shape == (34, 4)
    assert torch.isfinite(points).all()


@pytest.mark.parametrize("contiguous", [True, False], ids=["host", "torch"])
def test_a_shell_of_points_stands_for_what_is_too_far(contiguous: bool) -> None:
    depth = torch.full((5, 7), 2.0)
    depth[0, 0], depth[0, 1], depth[4, 6], depth[2, 2], depth[3, 3] = torch.inf, 9.0, torch.inf, torch.nan, -torch.inf
    untrusted = torch.zeros(5, 7, dtype=torch.bool)
    untrusted[4, 6] = True
    memory = torch.empty(5, 14, 4)
    out = memory[:, :7] if not contiguous else None
    projector = Projector(CAMERA, 1, CPU)
    cloud = projector.pack(depth, None, out, untrusted, far_m=8.0)
    # Z = 8 on the pixels' own rays: X = (u - cx) Z / fx, Y = (v - cy) Z / fy
    assert cloud[0, 0, :3].tolist() == pytest.approx([-2.5 * 8 / 6, -1.75 * 8 / 8, 8])
    assert cloud[0, 1, :3].tolist() == pytest.approx([-1.5 * 8 / 6, -1.75 * 8 / 8, 8])
    for place in ((4, 6), (2, 2), (3, 3)):
        assert cloud[place][:3].isnan().all(), "untrusted, unknown or too near is not far"
    expected = projector.pack(depth, None, None, untrusted)
    expected[0, :2] = cloud[0, :2]
    assert torch.equal(cloud.nan_to_num(-1), expected.nan_to_num(-1)), "the others are as without"


def test_writes_into_given_memory() -> None:
    memory = bytearray(5 * 7 * 16)
    out = torch.frombuffer(memory, dtype=torch.float32).view(5, 7, 4)
    depth = torch.rand(5, 7) + 1
    projector = Projector(CAMERA, 1, CPU)
    assert projector.pack(depth, None, out).data_ptr() == out.data_ptr()
    assert bytes(memory) == projector.pack(depth, None).numpy().tobytes()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_same_points_on_a_gpu() -> None:
    depth, rgb = torch.rand(5, 7) + 1, torch.randint(0, 256, (5, 7, 3), dtype=torch.uint8)
    on_cpu = Projector(CAMERA, 1, CPU).pack(depth, rgb)
    on_gpu = Projector(CAMERA, 1, torch.device("cuda")).pack(depth.cuda(), rgb.cuda()).cpu()
    torch.testing.assert_close(on_gpu[..., :3], on_cpu[..., :3], rtol=1e-6, atol=1e-6)
    assert torch.equal(on_gpu.view(torch.int32)[..., 3], on_cpu.view(torch.int32)[..., 3])
