# SPDX-License-Identifier: Apache-2.0
"""The node's parameters: one table, which declares, documents, checks and holds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

from depthpro_ros.errors import InputError
from depthpro_ros.pipeline import PipelineSettings

if TYPE_CHECKING:
    from rclpy.node import Node


@dataclass(frozen=True)
class Spec:
    """What is known about one parameter.

    Attributes:
        name, default: as declared; the default's type is the parameter's.
        help: one or two sentences for users.
        choices: the values that a text may have; empty if any.
        bounds: least and greatest value of a number, both allowed.
        runtime: may be changed while the node runs, from the next frame on; else it is read-only.
    """

    name: str
    default: bool | int | float | str
    help: str
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    runtime: bool = False

    def check(self, value: Any) -> bool | int | float | str:
        """The value as the parameter's type.

        Raises:
            InputError: another type, or out of range.
        """
        if self.choices and isinstance(value, bool):
            # YAML and `-p name:=off` read off, on, true and false as booleans
            value = next((c for c in self.choices if c in (("true", "on") if value else ("false", "off"))), value)
        wanted = type(self.default)
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not wanted or not isinstance(value, bool | int | float | str):
            raise InputError(f"{self.name} must be {wanted.__name__}, {value!r} is {type(value).__name__}")
        if self.choices and value not in self.choices:
            raise InputError(f"{self.name} must be one of {', '.join(self.choices)}; it is {value!r}")
        if self.bounds is not None and not self.bounds[0] <= float(value) <= self.bounds[1]:
            raise InputError(f"{self.name} must be {self.bounds[0]} to {self.bounds[1]}; it is {value}")
        return value

    def descriptor(self) -> ParameterDescriptor:
        """The ROS description of this parameter."""
        text = self.help + (f" One of: {', '.join(self.choices)}." if self.choices else "")
        descriptor = ParameterDescriptor(
            name=self.name,
            description=text,
            additional_constraints=", ".join(self.choices),
            read_only=not self.runtime,
            # whole numbers for floats, and the texts that YAML takes for booleans, go through `check`
            dynamic_typing=isinstance(self.default, float) or bool(self.choices),
        )
        if self.bounds is not None and isinstance(self.default, float):
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=self.bounds[0], to_value=self.bounds[1], step=0.0)
            ]
        elif self.bounds is not None:
            descriptor.integer_range = [
                IntegerRange(from_value=int(self.bounds[0]), to_value=int(self.bounds[1]), step=0)
            ]
        return descriptor


def _p(default: Any, help_: str, **about: Any) -> Any:
    """A row of the table."""
    return dataclasses.field(default=default, metadata={"help": help_} | about)


@dataclass(frozen=True)
class Settings:
    """The table, and one set of values that was checked. Every field is a parameter of the same name."""

    model: str = _p(
        "auto",
        "Which network: a registered name (depth_pro, depth_pro_nano), a path to its weights, or auto, "
        "which is Apple's weights where they are found and else the small bundled model.",
    )
    device: str = _p("auto", "Where the network computes: auto, cpu, cuda or cuda:N.")
    precision: str = _p(
        "auto",
        "Number format of the network.",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    autostart: bool = _p(True, "Configure and activate without waiting for a lifecycle manager.")
    image_transport: str = _p(
        "raw",
        "raw subscribes sensor_msgs/Image on the image topic, compressed sensor_msgs/CompressedImage on "
        "<image topic>/compressed.",
        choices=("raw", "compressed"),
    )
    image_reliability: str = _p(
        "auto",
        "Reliability asked of the image and camera_info publishers. auto is reliable where all of them offer it.",
        choices=("auto", "reliable", "best_effort"),
    )
    camera_info_wait_s: float = _p(
        0.2,
        "How long an image waits for the CameraInfo of its own stamp before the newest one is used, seconds.",
        bounds=(0.0, 10.0),
        runtime=True,
    )
    focal_policy: str = _p(
        "auto",
        "Where the focal length comes from. auto is CameraInfo where it is calibrated, else the network's estimate.",
        choices=("auto", "camera_info", "estimated", "fixed"),
        runtime=True,
    )
    fixed_focal_px: float = _p(
        0.0,
        "Focal length for focal_policy fixed, in pixels of the image's width.",
        bounds=(0.0, 1e6),
        runtime=True,
    )
    estimate: str = _p(
        "auto",
        "When the network estimates the field of view for estimated/camera_info. auto is only where the focal "
        "length is wanted; always costs time on each frame.",
        choices=("auto", "always", "never"),
        runtime=True,
    )
    focal_lock_after: int = _p(
        10,
        "Consistent focal estimates after which the focal length is held, so that the scale does not flicker.",
        bounds=(1, 1000),
        runtime=True,
    )
    focal_tolerance: float = _p(
        0.1,
        "Relative deviation within which focal estimates agree.",
        bounds=(0.001, 1.0),
        runtime=True,
    )
    rectify: bool = _p(
        False,
        "Undo the lens distortion that CameraInfo describes before the network sees the image.",
        runtime=True,
    )
    input_rectified: str = _p(
        "auto",
        "Whether the images are rectified already, so that P describes them rather than K. auto is yes where "
        "the last part of the image topic contains rect.",
        choices=("auto", "true", "false"),
        runtime=True,
    )
    min_depth_m: float = _p(
        0.0, "Nearer depth is published as -Inf (REP 117), metres.", bounds=(0.0, 1e4), runtime=True
    )
    max_depth_m: float = _p(
        80.0,
        "Farther depth, sky included, is published as +Inf (REP 117), metres.",
        bounds=(0.0, 1e4),
        runtime=True,
    )
    edge_filter: str = _p(
        "cloud",
        "Where the flying pixels of depth edges become NaN: nowhere, in the cloud, or in the depth image too.",
        choices=("off", "cloud", "all"),
        runtime=True,
    )
    edge_ratio: float = _p(
        0.1,
        "Depth step between neighbours that is an edge, relative to the depth.",
        bounds=(0.001, 10.0),
        runtime=True,
    )
    depth_encoding: str = _p(
        "32FC1",
        "Encoding of depth/image: 32FC1 is metres (REP 118), 16UC1 millimetres with 0 where there is no depth.",
        choices=("32FC1", "16UC1"),
        runtime=True,
    )
    cloud_stride: int = _p(1, "Every n-th pixel of every n-th row becomes a point.", bounds=(1, 64), runtime=True)
    cloud_organised: bool = _p(
        True, "Keep the image's grid, with NaN where there is no point; else finite points only.", runtime=True
    )
    diagnostics_period_s: float = _p(1.0, "Time between two messages on /diagnostics, seconds.", bounds=(0.1, 60.0))

    def __post_init__(self) -> None:
        for spec in TABLE:
            object.__setattr__(self, spec.name, spec.check(getattr(self, spec.name)))
        self.pipeline("")  # the combinations
        if self.focal_policy == "estimated" and self.estimate == "never":
            raise InputError("focal_policy 'estimated' needs the estimate, and 'estimate' is 'never'")

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
    parameters = node.declare_parameters("", [(s.name, s.default, s.descriptor()) for s in TABLE])
    return Settings().replaced({p.name: p.value for p in parameters})
