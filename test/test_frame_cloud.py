# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch

from depthpro_ros.camera import Intrinsics
from depthpro_ros.cloud import Projector, finite_points
from depthpro_ros.frame_cloud import CloudMemory, FrameCloud
from depthpro_ros.pipeline_settings import PipelineSettings
from depthpro_ros.voxels import voxel_grid

CAMERA = Intrinsics(8, 6, 7.0, 7.5, 3.0, 2.0)
DEPTH = torch.arange(1.0, 49.0).reshape(6, 8) / 10
RGB = torch.arange(144, dtype=torch.uint8).reshape(6, 8, 3)


def made(memory: CloudMemory | None = None, **settings: Any) -> torch.Tensor:
    depth = DEPTH.clone()
    depth[5], depth[0, 0] = torch.inf, torch.nan
    return FrameCloud().make(PipelineSettings(**settings), depth, None, RGB, CAMERA, memory)


def memory(rows: int, columns: int) -> torch.Tensor:
    raise AssertionError("a cloud that is not organised does not fit into an organised one's memory")


@pytest.mark.parametrize("organised", [True, False])
def test_voxels_make_a_cloud_of_as_many_points_as_there_are_cubes(organised: bool) -> None:
    points = finite_points(made())
    cloud = made(memory, cloud_voxel_m=0.5, cloud_organised=organised)
    assert cloud.shape == (len((points[:, :3] / 0.5).floor().unique(dim=0)), 4)
    assert torch.equal(cloud, voxel_grid(points, 0.5))


@pytest.mark.parametrize("organised", [True, False])
def test_a_shell_is_at_the_greatest_depth(organised: bool) -> None:
    cloud = made(cloud_far="shell", max_depth_m=30.0, cloud_organised=organised, cloud_stride=1).view(-1, 4)
    far = cloud[cloud[:, 2] == 30.0]
    expected = Projector(CAMERA, 1, torch.device("cpu")).pack(torch.full((6, 8), 30.0), RGB)[5]
    assert torch.equal(far, expected)
    assert torch.isfinite(cloud[:, 2]).sum() == 47, "NaN is no point"


def test_a_shell_is_thinned_by_voxels_too() -> None:
    with_shell, without = (made(cloud_far=far, max_depth_m=30.0, cloud_voxel_m=9.0) for far in ("shell", "drop"))
    assert len(with_shell) > len(without)
    assert with_shell[:, 2].max() == pytest.approx(30.0)
