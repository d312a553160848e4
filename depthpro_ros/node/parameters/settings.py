# SPDX-License-Identifier: Apache-2.0
"""The node's parameters: one table, which declares, documents, checks and holds them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from depthpro_ros.errors import InputError
from depthpro_ros.node.compressed import Encodings
from depthpro_ros.node.parameter_spec import Spec
from depthpro_ros.node.parameters.geometry import GeometryParameters
from depthpro_ros.node.parameters.images import ImageParameters
from depthpro_ros.node.parameters.network import NetworkParameters
from depthpro_ros.node.parameters.products import CloudParameters, DepthParameters
from depthpro_ros.node.parameters.reliability import ReliabilityParameters
from depthpro_ros.node.parameters.scale import ScaleParameters
from depthpro_ros.pipeline import PipelineSettings
from depthpro_ros.scale import Extrinsics
from depthpro_ros.scale_settings import EffectiveSource, effective_source

if TYPE_CHECKING:
    from rclpy.node import Node

LOADING = ("device", "precision", "memory", "resolution", "quantise", "accelerate", "reuse_tiles")
"""Parameters that are handed on to `load_estimator`, under the same names."""
DECODING = ("decoding", "samples", "seed")
"""The same for those that only models up to scale have: handed on only where they are not the default."""
APPROXIMATE = ("resolution", "quantise", "reuse_tiles")
"""Those with which the depth is not that of the network as published, unless they have their defaults."""
CAMERA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""One part of a ROS topic's name."""


@dataclass(frozen=True)
class Settings(  # a dataclass has its last base's fields first
    ReliabilityParameters,
    CloudParameters,
    DepthParameters,
    ScaleParameters,
    GeometryParameters,
    ImageParameters,
    NetworkParameters,
):
    """The table, and one set of values that was checked. Every field is a parameter of the same name."""

    def __post_init__(self) -> None:
        for spec in TABLE:
            object.__setattr__(self, spec.name, spec.check(getattr(self, spec.name)))
        self._check_cameras()
        self.pipeline("")  # the combinations
        if self.focal_policy == "estimated" and self.estimate == "never":
            raise InputError("focal_policy 'estimated' needs the estimate, and 'estimate' is 'never'")
        if self.scale_source == "ranges" and self.ranges_type == "off":
            raise InputError(
                "scale_source 'ranges' needs to know which messages come on the topic ranges: set ranges_type to "
                "laser_scan, range or points"
            )
        if 0 < self.preview_far_m <= self.preview_near_m:
            raise InputError(
                f"preview_near_m {self.preview_near_m} must be less than preview_far_m {self.preview_far_m}; 0 follows "
                "what the camera sees"
            )
        if self.ranges_extrinsics:
            Extrinsics.from_list(self.ranges_extrinsics)

    def _check_cameras(self) -> None:
        for name in self.cameras:
            if not CAMERA_NAME.fullmatch(name):
                raise InputError(
                    f"cameras has {name!r}, which cannot be a part of a topic's name: use letters, digits and "
                    "underscores, not a digit first; for one camera without a name leave the list empty"
                )
            if self.cameras.count(name) > 1:
                raise InputError(
                    f"cameras has {name!r} {self.cameras.count(name)} times: give each camera its own name"
                )

    def replaced(self, changes: Mapping[str, Any]) -> Settings:
        """These settings with some values changed; names that are not in the table are left out.

        Raises:
            InputError: a value or the combination is not allowed; says why.
        """
        return dataclasses.replace(self, **{s.name: changes[s.name] for s in TABLE if s.name in changes})

    def is_rectified(self, image_topic: str) -> bool:
        """Whether images from this topic are rectified already."""
        if self.input_rectified == "auto":
            return "rect" in image_topic.rsplit("/", 1)[-1]
        return self.input_rectified == "true"

    def pipeline(self, image_topic: str) -> PipelineSettings:
        """What of this concerns the pipeline."""
        names = {f.name for f in dataclasses.fields(PipelineSettings)} - {"input_rectified"}
        values = {name: getattr(self, name) for name in names}
        return PipelineSettings(**values, input_rectified=self.is_rectified(image_topic))

    @property
    def encodings(self) -> Encodings:
        """How the images of depth are written."""
        return Encodings(
            depth=self.depth_encoding,
            png_level=self.png_level,
            jpeg_quality=self.jpeg_quality,
            preview_near_m=self.preview_near_m,
            preview_far_m=self.preview_far_m,
        )

    @property
    def load_options(self) -> dict[str, Any]:
        """Keyword arguments of `load_estimator`."""
        options = {name: getattr(self, name) for name in LOADING}
        return options | {s.name: v for s in TABLE if s.name in DECODING and (v := getattr(self, s.name)) != s.default}

    @property
    def reference_load_options(self) -> dict[str, Any]:
        """The same for the metric model that scale_source depth_pro needs."""
        return {name: getattr(self, name) for name in LOADING}

    def source(self, *, metric: bool) -> EffectiveSource:
        """Where the scale of a model's depth comes from.

        Args:
            metric: whether the model's depth is in metres.

        Raises:
            InputError: not for such a model.
        """
        return effective_source(self.pipeline(""), metric=metric)

    @property
    def approximations(self) -> str:
        """The settings with which the depth is approximate, as text; empty if it is exact."""
        defaults = {s.name: s.default for s in TABLE}
        chosen = {name: getattr(self, name) for name in APPROXIMATE if getattr(self, name) != defaults[name]}
        return ", ".join(f"{name} {value}" for name, value in chosen.items())

    @property
    def needs_camera_info(self) -> bool:
        """Whether CameraInfo is looked at at all."""
        return self.rectify or self.focal_policy in ("auto", "camera_info")


TABLE: tuple[Spec, ...] = tuple(
    Spec(name=f.name, default=f.default, **f.metadata)  # type: ignore[arg-type]
    for f in dataclasses.fields(Settings)
)
"""Every parameter of the node, in the order in which they are documented."""


def declare(node: Node) -> Settings:
    """Declare the parameters and return their values, which YAML and the command line may have changed.

    Raises:
        InputError: a given value is not allowed.
    """
    return Settings().replaced({p.name: p.value for p in [spec.declare(node) for spec in TABLE]})
