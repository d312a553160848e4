# SPDX-License-Identifier: Apache-2.0
"""Procedural scenes as training images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch.utils.data import get_worker_info

from depthpro_ros.errors import InputError
from depthpro_ros.scenes import layout_from_seed, render_layouts
from depthpro_ros.scenes.layout import Camera
from depthpro_ros.training.data.batch import Batch, DatasetKind

FIRST_TRAINING_SEED = 1_000_000
"""Seeds below are kept for held-out scenes."""
ASPECTS = (0.75, 0.75, 1.0, 0.5625)
"""Image heights over widths: the network always sees a square, cameras seldom are one."""
_SMALL_PX = 128


@dataclass(frozen=True)
class SceneSet:
    """Scenes without end, rendered when asked for.

    Attributes:
        name: for reports.
        first_seed: no scene has a lower seed; at least `FIRST_TRAINING_SEED`.
        device: where scenes are rendered; a DataLoader's worker processes can use the CPU only.

    Raises:
        InputError: a first seed among those of the held-out scenes.
    """

    name: str = "scenes"
    first_seed: int = FIRST_TRAINING_SEED
    device: str | torch.device = "cpu"

    def __post_init__(self) -> None:
        if self.first_seed < FIRST_TRAINING_SEED:
            raise InputError(
                f"first_seed is {self.first_seed}, expected at least {FIRST_TRAINING_SEED}: lower ones are held out"
            )

    def batch(
        self,
        seeds: Sequence[int],
        size_px: int,
        *,
        kind: DatasetKind = "synthetic_metric",
        aspect: float = 0.75,
        shares: Sequence[float] = (),
    ) -> Batch:
        """Render scenes as squares in one call.

        Args:
            seeds: of the scenes, counted from `first_seed`.
            size_px: width and height of the squares.
            kind: what the batch says of its images.
            aspect: height over width of the views that are squashed to squares.
            shares: of each view's width and height, the part around the middle that is seen; all of it if empty.

        Raises:
            InputError: on a GPU, in a DataLoader's worker process.
        """
        device = torch.device(self.device)
        if device.type != "cpu" and get_worker_info() is not None:
            raise InputError(
                f"{self.name} are rendered on {device}, which worker processes cannot use: set workers to 0"
            )
        layouts = [layout_from_seed(self.first_seed + seed) for seed in seeds]
        layouts = [
            replace(layout, camera=zoom(layout.camera, share))
            for layout, share in zip(layouts, shares or [1.0] * len(layouts), strict=True)
        ]
        scenes = render_layouts(
            layouts,
            height=size_px,
            width=size_px,
            device=device,
            # on a CPU, small images share a launch's cost; large ones are faster one by one
            at_once=len(layouts) if device.type == "cpu" and size_px < _SMALL_PX else None,
            pixel_aspect=1 / aspect,
        )
        valid = scenes.valid & (scenes.depth_m > 0)
        focal = (scenes.focal_px / size_px).view(-1, 1, 1)
        return Batch(
            rgb=scenes.rgb,
            canonical=torch.where(valid, focal / scenes.depth_m, 0.0),
            valid=valid,
            fov_deg=scenes.fov_deg,
            kind=(kind,) * len(layouts),
        )


def zoom(camera: Camera, share: float) -> Camera:
    """The camera that sees the middle of another's image, `share` of its width and height: a centre crop."""
    half = math.atan(share * math.tan(0.5 * camera.hfov_rad))
    return replace(
        camera,
        hfov_rad=2 * half,
        principal_x=camera.principal_x / share,
        principal_y=camera.principal_y / share,
    )
