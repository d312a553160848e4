# SPDX-License-Identifier: Apache-2.0
"""The cloud of each frame of one camera, as its settings say."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from depthpro_ros.camera import Intrinsics
from depthpro_ros.cloud import Projector, finite_points
from depthpro_ros.pipeline_settings import PipelineSettings
from depthpro_ros.voxels import voxel_grid

CloudMemory = Callable[[int, int], Tensor]
"""(rows, columns) to a float32 [rows, columns, 4] tensor in host memory, for example inside a message."""


class FrameCloud:
    """Makes clouds; the grid of rays is made once per camera and stride."""

    def __init__(self) -> None:
        self._projector: Projector | None = None

    def make(
        self,
        settings: PipelineSettings,
        depth_m: Tensor,
        untrusted: Tensor | None,
        rgb: Tensor,
        intrinsics: Intrinsics,
        memory: CloudMemory | None,
    ) -> Tensor:
        """The cloud of a depth map.

        Args:
            settings: its stride, whether it is organised, its voxels, and what becomes of what is too far.
            depth_m: float32 [H, W], metres; what is not finite becomes no point, but for what is too far.
            untrusted: bool [H, W], pixels that become no point either; None is none.
            rgb: uint8 [H, W, 3], on the depth's device.
            intrinsics: of the depth map.
            memory: where an organised cloud is to be written; None leaves it on the depth's device.

        Returns:
            float32 [h, w, 4] or [N, 4], see `depthpro_ros.cloud`.
        """
        device = depth_m.device
        projector = self._projector
        if (
            projector is None
            or projector.intrinsics != intrinsics
            or projector.stride != settings.cloud_stride
            or projector.device != device
        ):
            projector = self._projector = Projector(intrinsics, settings.cloud_stride, device)
        far_m = settings.max_depth_m if settings.cloud_far == "shell" else None
        if settings.cloud_voxel_m or not settings.cloud_organised:
            points = finite_points(projector.pack(depth_m, rgb, None, untrusted, far_m))
            return voxel_grid(points, settings.cloud_voxel_m) if settings.cloud_voxel_m else points
        out = None if memory is None else memory(*projector.shape)
        if out is None or out.device == device:
            return projector.pack(depth_m, rgb, out, untrusted, far_m)
        return out.copy_(projector.pack(depth_m, rgb, None, untrusted, far_m))
