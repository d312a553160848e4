# SPDX-License-Identifier: Apache-2.0
"""Data sets of a training run, as its YAML file names them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from depthpro_ros.training.data.batch import DatasetKind

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class Strict(BaseModel):
    """Refuses keys that it does not know, and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScenesData(Strict):
    """Procedural scenes, rendered while training.

    Attributes:
        first_seed: scenes are drawn from here on; seeds below 1,000,000 are kept for held-out scenes.
    """

    type: Literal["scenes"]
    kind: DatasetKind = "synthetic_metric"
    weight: Positive = 1.0
    first_seed: Annotated[int, Field(ge=1_000_000)] = 1_000_000


class FrameData(Strict):
    """Images with measured depth.

    Attributes:
        path: where they are.
        fx_px: focal length of every image, instead of the recorded intrinsics.
        max_depth_m: finite depth beyond it counts as unknown, for sensors that are poor far away.
    """

    kind: DatasetKind = "real_metric"
    weight: Positive = 1.0
    path: Path
    fx_px: Positive | None = None
    max_depth_m: Positive | None = None


class FolderData(FrameData):
    """A folder; see `training.data.folder` for its forms.

    Attributes:
        depth_scale: stored values per metre (1000 for millimetres).
    """

    type: Literal["folder"]
    depth_scale: Positive | None = None


class BagData(FrameData):
    """A recording, rosbag2 or ROS 1; see `training.data.bag`.

    Attributes:
        image_topic, depth_topic, camera_info_topic: found where they are not given and there is one of each.
        tolerance_s: stamps of an image and its depth differ at most by this.
    """

    type: Literal["bag"]
    image_topic: str | None = None
    depth_topic: str | None = None
    camera_info_topic: str | None = None
    tolerance_s: Positive = 0.02


class HypersimData(FrameData):
    """Hypersim as it is distributed; see `training.data.hypersim`."""

    type: Literal["hypersim"]


Data = Annotated[ScenesData | FolderData | BagData | HypersimData, Field(discriminator="type")]
