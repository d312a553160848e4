# SPDX-License-Identifier: Apache-2.0
"""Part "pipeline": an image in memory to depth and an organised cloud in memory, without ROS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from depthpro_ros.bench.pictures import Picture, scenes
from depthpro_ros.bench.random_weights import full_weights
from depthpro_ros.bench.results import Figure, PartResult, Row, RunContext, Table
from depthpro_ros.bench.timing import take_turns
from depthpro_ros.models import load_estimator
from depthpro_ros.models.depth_pro import DepthProConfig
from depthpro_ros.models.estimator import Estimator
from depthpro_ros.pipeline import Pipeline, Wanted

SIZES = ((640, 480), (1280, 720), (1920, 1080))


def run(context: RunContext) -> PartResult:
    """Measure; see `depthpro_ros.bench.results`."""
    models: list[str | Path] = ["depth_pro_nano"]
    if context.on_cuda:
        models.append(full_weights(context, DepthProConfig()))
    (scene,) = scenes(1, *SIZES[0])
    pictures = [scene.squashed(*size) for size in SIZES]
    tables = []
    for model in models:
        estimator = load_estimator(model, device=context.device)
        tables.append(of_model(estimator, pictures, context.device, context.seconds / len(models)))
        del estimator
    return PartResult("pipeline", tuple(tables))


class HostPipeline:
    """One camera's pipeline whose results end in host memory, where messages are made of them.

    Args:
        estimator: the model.
        picture: what it sees each time.
    """

    def __init__(self, estimator: Estimator, picture: Picture) -> None:
        self._pipeline, self._picture = Pipeline(estimator), picture
        height, width = picture.rgb.shape[:2]
        self._cloud = torch.empty(height, width, 4)
        self._depth: NDArray[np.float32] = np.empty((height, width), np.float32)
        self.model_s: list[float] = []

    def __call__(self) -> None:
        """One frame; adds the time in the model to `model_s`."""
        frame = self._pipeline.process(
            self._picture.rgb,
            self._picture.camera,
            Wanted(confidence=False),
            cloud_memory=lambda rows, columns: self._cloud,
        )
        np.copyto(self._depth, frame.metres.cpu().numpy())
        self.model_s.append(frame.model_ms / 1e3)


def of_model(estimator: Estimator, pictures: list[Picture], device: str, seconds: float) -> Table:
    """All sizes in turns with one model."""
    pipelines = {f"{p.rgb.shape[1]}x{p.rgb.shape[0]}": HostPipeline(estimator, p) for p in pictures}
    samples = take_turns(pipelines, device, seconds)
    rows = []
    for name, pipeline in pipelines.items():
        whole = samples[name].seconds
        model = pipeline.model_s[1:]  # without the warm-up
        beside = Figure.duration([a - b for a, b in zip(whole, model, strict=True)])
        fps = Figure.once(1 / Figure.median(whole, "s").value, "fps", "of the median")
        rows.append(Row(name, (Figure.duration(whole), Figure.duration(model), beside, fps)))
    info = estimator.info
    return Table(
        f"{info.name}, {info.precision}: image to depth and organised cloud, known focal",
        "image",
        ("whole", "model", "beside the model", "rate"),
        tuple(rows),
    )
