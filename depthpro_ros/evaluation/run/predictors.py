# SPDX-License-Identifier: Apache-2.0
"""Depth from the pipeline that the node runs, or from what was recorded before."""

from __future__ import annotations

import hashlib
import math
import time
from pathlib import Path
from typing import Literal

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.results.record import Focal
from depthpro_ros.evaluation.results.run_info import ModelInfo
from depthpro_ros.evaluation.run.frames import Predicted, SourceFrame
from depthpro_ros.models.estimator import Estimator
from depthpro_ros.pipeline import Pipeline, PipelineSettings, Wanted

FocalChoice = Literal["auto", "camera_info", "estimated"]


class PipelinePredictor:
    """The node's pipeline, frame after frame, without its range limit and edge filter.

    Args:
        estimator: the model. One up to scale is left so: nothing but the ground truth is to say its scale.
        focal: whose focal length makes the depth; `auto` as the node does it.
        estimate: run the field-of-view network also where the focal length is known, to judge it.
        rectified: P rather than K is the images' camera.
        cloud: make point clouds as well.
        steady: hold an estimated focal length as the node does; else each frame is on its own, as for photographs.
    """

    def __init__(
        self,
        estimator: Estimator,
        focal: FocalChoice = "auto",
        *,
        estimate: bool = False,
        rectified: bool = False,
        cloud: bool = False,
        steady: bool = True,
    ) -> None:
        settings = PipelineSettings(
            focal_policy=focal,
            estimate="always" if estimate else "auto",
            input_rectified=rectified,
            max_depth_m=math.inf,
            scale_source="off",
            edge_filter="cloud" if cloud else "off",
        )
        self._pipeline = Pipeline(estimator, settings)
        self._wanted = Wanted(cloud=cloud, confidence=False, scale=False)
        self._steady = steady

    def predict(self, frame: SourceFrame) -> Predicted:
        """See `Predictor`."""
        if not self._steady:
            self._pipeline.reset()
        started = time.perf_counter()
        made = self._pipeline.process(frame.rgb, frame.camera, self._wanted)
        depth_m, relative = (
            None if depth is None else depth.cpu().numpy() for depth in (made.depth_m, made.relative_depth)
        )
        pipeline_ms = (time.perf_counter() - started) * 1e3
        focal = Focal(
            frame.rgb.shape[1],
            used=None if made.intrinsics is None else made.intrinsics.fx,
            estimated=None if made.estimated is None else made.estimated.fx,
            true=frame.true_fx_px,
        )
        cloud = None if made.cloud is None else made.cloud.cpu().numpy()
        times_ms = {"model_ms": made.model_ms, "pipeline_ms": pipeline_ms}
        return Predicted(depth_m, made.intrinsics, focal, times_ms, cloud, relative)

    def restore(self, width_px: int, estimated_px: float | None) -> None:
        """See `Predictor`."""
        if self._steady:
            self._pipeline.restore(width_px, estimated_px)


class RecordedPredictor:
    """Gives what the source has recorded."""

    def predict(self, frame: SourceFrame) -> Predicted:
        """See `Predictor`."""
        if frame.recorded is None:
            raise InputError("the recording has no prediction for this frame")
        return frame.recorded

    def restore(self, width_px: int, estimated_px: float | None) -> None:
        """Nothing depends on earlier frames."""


def model_info(estimator: Estimator, decoding: str = "") -> ModelInfo:
    """What to write beside results, with the hash of the weights.

    Args:
        decoding: see `ModelInfo`.
    """
    info = estimator.info
    computed = ", ".join((info.precision, *info.approximations))
    weights = weights_sha256(Path(info.weights))
    return ModelInfo(info.name, weights, info.parameters, info.device, computed, info.metric, decoding)


def weights_sha256(path: Path) -> str:
    """Of a weights file, or of all files of a folder by name; empty where there is none."""
    files = [path] if path.is_file() else sorted(path.glob("*.safetensors")) if path.is_dir() else []
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            while block := content.read(1 << 20):
                digest.update(block)
    return digest.hexdigest() if files else ""
