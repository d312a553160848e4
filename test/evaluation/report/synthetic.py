# SPDX-License-Identifier: Apache-2.0
"""An evaluation whose every figure is known: a slanted surface, predicted too far by a share that the frame decides."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.evaluation.alignment import AlignmentMode
from depthpro_ros.evaluation.metrics import score_image
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.live import LiveSummary, Percentiles, ResourceSample
from depthpro_ros.evaluation.results.profiles import Profiles
from depthpro_ros.evaluation.results.record import Focal, FrameRecord
from depthpro_ros.evaluation.results.run_info import ModelInfo, RunInfo, Settings
from depthpro_ros.evaluation.results.thumbnail import Thumbnail
from depthpro_ros.evaluation.sums import ErrorSums

ALIGNMENTS: tuple[AlignmentMode, ...] = ("none", "median_scale", "affine_disparity")
REASON = "no ground truth within 20 ms"


def truth_m(height: int, width: int) -> NDArray[np.float32]:
    """Depth of the surface, metres: 2 at the top left, 4 more at the right, 1 more at the bottom."""
    v, u = np.mgrid[0:height, 0:width]
    return (2 + 4 * u / (width - 1) + v / (height - 1)).astype(np.float32)


def error_of(k: int) -> float:
    """By which share frame k is too far: 0 to 0.3, no two neighbours alike; abs_rel is exactly this."""
    return 0.03 * ((7 * k) % 11)


@dataclass(frozen=True)
class Synthetic:
    """What to make.

    Attributes:
        frames: how many.
        scenes: frames take turns.
        height, width: of each.
        skipped: reasons, by index.
        ids: names, by index; the others are `frame_000007`.
        pictures: of which frames a thumbnail is kept.
        truth: whether there is ground truth.
        alpha: whether there are alpha mattes only (needs `truth` to be False).
        error: of frame k, as a share.
        live: whether a node ran.
        settings: what to change of the settings.
        run: what to change of how it was made.
    """

    frames: int = 12
    scenes: int = 2
    height: int = 48
    width: int = 64
    skipped: Mapping[int, str] = field(default_factory=lambda: {3: REASON})
    ids: Mapping[int, str] = field(default_factory=dict)
    pictures: Callable[[int], bool] = lambda k: True
    truth: bool = True
    alpha: bool = False
    error: Callable[[int], float] = error_of
    live: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)
    run: Mapping[str, object] = field(default_factory=dict)

    def write(self, path: Path) -> ResultsFolder:
        """Write the folder as an evaluation does."""
        folder = ResultsFolder.create(path, self.run_info())
        truth = truth_m(self.height, self.width)
        rgb = np.stack([np.full_like(truth, 90), 30 * truth, 255 - 30 * truth], axis=-1).astype(np.uint8)
        camera = Intrinsics.from_fov(self.width, self.height, 60.0)
        for k in range(self.frames):
            if k in self.skipped:
                folder.add(dataclasses.replace(self._empty(k), skipped=self.skipped[k]))
                continue
            predicted = truth * np.float32(1 + self.error(k))
            record = self._record(k, predicted, truth, camera.fx)
            small = Thumbnail.of(rgb, predicted, truth if self.truth else None, camera) if self.pictures(k) else None
            folder.add(record, small)
        if self.live:
            folder.set_live(self.live_summary())
        return folder

    def run_info(self) -> RunInfo:
        """How it was made."""
        settings = Settings(
            "0.1 to 80 m", ALIGNMENTS if self.truth else (), "penalise", ("boundaries",), "camera_info", "all"
        )
        settings = dataclasses.replace(settings, **self.settings)  # type: ignore[arg-type]
        run = RunInfo(
            "bag",
            "corridor.mcap",
            "depthpro evaluate bag corridor.mcap -o out",
            ModelInfo("depth_pro_nano", "ab" * 32, 2_600_000, "cpu", "float32"),
            settings,
            topics={"image": "/camera/image_raw", "ground truth": "/camera/depth"},
            versions={"depthpro_ros": "0.1.0"},
            machine="4 cores",
            started="2026-01-02T03:04:05Z",
            notes=("2 messages of the bag are damaged",),
        )
        return dataclasses.replace(run, **self.run)  # type: ignore[arg-type]

    def live_summary(self) -> LiveSummary:
        """What the node's run came to."""
        resources = tuple(ResourceSample(0.5 * k, 80.0 + k, 500.0 + k) for k in range(20))
        lost = len(self.skipped)
        return LiveSummary(
            "real_time",
            1.0,
            self.frames,
            self.frames - lost,
            lost,
            Percentiles(30, 40, 50, 60),
            9.5,
            0,
            0,
            resources,
            {},
        )

    def _empty(self, k: int) -> FrameRecord:
        name = self.ids.get(k, f"frame_{k:06d}")
        return FrameRecord(k, name, f"scene {k % self.scenes}", 1_700_000_000_000_000_000 + k * 100_000_000)

    def _record(
        self, k: int, predicted: NDArray[np.float32], truth: NDArray[np.float32], focal_px: float
    ) -> FrameRecord:
        figures = {
            "model_ms": 20.0 + k % 5,
            "frame_ms": 25.0 + k % 5,
            "flicker": 0.01 * (k % 3) if k else math.nan,
            **({"latency_ms": 30.0 + k % 7} if self.live else {}),
            **({"boundary_recall": 0.4 + 0.01 * (k % 9)} if self.alpha else {}),
        }
        record = dataclasses.replace(self._empty(k), figures=figures)
        if not self.truth:
            return record
        mask = np.ones(truth.shape, bool)
        sums: dict[str, ErrorSums] = {}
        for mode in ALIGNMENTS:
            scored = score_image(predicted, truth, mask=mask, align=mode)
            end = "" if mode == "none" else f"@{mode}"
            for name in ("abs_rel", "delta1", "rmse", "silog", "bias", "mae"):
                figures[name + end] = getattr(scored.scores, name)
            figures["scale" + end] = scored.scores.scale
            sums[mode] = scored.sums
        estimated = focal_px * (1 + self.error(k))
        figures |= {"frame_scale": 1 / (1 + self.error(k)), "boundary_f1": 0.5, "focal_ratio": estimated / focal_px}
        return dataclasses.replace(
            record,
            pixels=truth.size,
            sums=sums,
            focal=Focal(self.width, used=focal_px, estimated=estimated, true=focal_px),
            profiles=Profiles.of(predicted, truth, mask),
        )
