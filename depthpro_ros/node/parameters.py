# SPDX-License-Identifier: Apache-2.0
"""The node's parameters: one table, which declares, documents, checks and holds them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from depthpro_ros.errors import InputError
from depthpro_ros.frame_scale import EffectiveSource, effective_source
from depthpro_ros.node.parameter_spec import Spec
from depthpro_ros.pipeline import PipelineSettings
from depthpro_ros.scale import Extrinsics

if TYPE_CHECKING:
    from rclpy.node import Node

DEVIATION = "All but the default is approximate: docs/performance.md has the measured deviation."
LOADING = ("device", "precision", "memory", "resolution", "quantise", "accelerate", "reuse_tiles")
"""Parameters that are handed on to `load_estimator`, under the same names."""
DECODING = ("decoding", "samples", "seed")
"""The same for those that only models up to scale have: handed on only where they are not the default."""
APPROXIMATE = ("resolution", "quantise", "reuse_tiles")
"""Those with which the depth is not that of the network as published, unless they have their defaults."""
CAMERA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""One part of a ROS topic's name."""


def _p(default: Any, help_: str, **about: Any) -> Any:
    """A row of the table."""
    return dataclasses.field(default=default, metadata={"help": help_} | about)


@dataclass(frozen=True)
class Settings:
    """The table, and one set of values that was checked. Every field is a parameter of the same name."""

    model: str = _p(
        "auto",
        "Which network: a registered name (depth_pro, depth_pro_nano, depthart_ar), a path to its weights, or auto, "
        "which is Apple's weights where they are found and else the small bundled model. The depth of depthart_ar is "
        "up to scale: see scale_source.",
    )
    device: str = _p("auto", "Where the network computes: auto, cpu, cuda or cuda:N.")
    precision: str = _p(
        "auto",
        "Number format of the network.",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    memory: str = _p(
        "auto",
        "low computes the same depth in less memory, more slowly; auto does so only once memory did not suffice.",
        choices=("auto", "low"),
    )
    resolution: str = _p(
        "full",
        "Side of the network's input: as published, or two thirds or half of that, which is faster. " + DEVIATION,
        choices=("full", "two_thirds", "half"),
    )
    quantise: str = _p(
        "off",
        "Whether the large matrix products are computed in 8 bits, faster where the hardware has them. " + DEVIATION,
        choices=("off", "int8", "fp8"),
    )
    accelerate: str = _p(
        "auto",
        "How the network is run: eager step by step, graphs as recorded CUDA graphs, compile by torch.compile, which "
        "takes long at the start. auto chooses for the device.",
        choices=("auto", "eager", "graphs", "compile"),
    )
    reuse_tiles: float = _p(
        0.0,
        "For cameras that do not move: windows of the image that changed by less than this, on average over their "
        "pixels and in 8-bit levels, are not computed again; 0 computes all. " + DEVIATION,
        bounds=(0.0, 64.0),
    )
    decoding: str = _p(
        "argmax",
        "How depthart_ar chooses its tokens. argmax takes the likeliest code. sampled takes the mean of several that "
        "are drawn. spread makes several passes with one drawn code each, and publishes depth/confidence. All give "
        "the same depth for the same image.",
        choices=("argmax", "sampled", "spread"),
    )
    samples: int = _p(5, "How many are drawn for decoding sampled and spread.", bounds=(1, 1000))
    seed: int = _p(0, "The draws of each image start from this seed.", bounds=(0, 10**6))
    autostart: bool = _p(True, "Configure and activate without waiting for a lifecycle manager.")
    cameras: tuple[str, ...] = _p(
        (),
        "Names of several cameras that share the network, such as [front, rear]. Each has topics of its own: "
        "NAME/image, NAME/camera_info, NAME/depth/image and so on. Empty is one camera, whose topics have no such "
        "prefix.",
    )
    max_batch: int = _p(
        0,
        "How many images are computed at once at most; cameras take turns where more wait. 0 is one of each camera.",
        bounds=(0, 64),
        runtime=True,
    )
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
    focal_check_every: int = _p(
        30,
        "While the estimated focal length is held, it is estimated again every so many frames, which costs time.",
        bounds=(1, 100000),
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
    scale_source: str = _p(
        "auto",
        "What turns depth up to scale into metres. depth_pro is a metric model on the same image (scale_reference), "
        "ground_plane the camera's height (camera_height_m), ranges another sensor (ranges_type), assumed a fixed "
        "number (assumed_d98_m), which is flagged as not metric. auto is ranges where ranges_type is set, else "
        "ground_plane where camera_height_m is, else off; for a metric model off.",
        choices=("auto", "off", "depth_pro", "ground_plane", "ranges", "assumed"),
    )
    scale_reference: str = _p(
        "auto", "Which metric model scale_source depth_pro loads: what the parameter model may be."
    )
    camera_height_m: float = _p(
        0.0,
        "Height of the camera's centre above the ground for scale_source ground_plane, metres; 0 is not known.",
        bounds=(0.0, 1e3),
        runtime=True,
    )
    camera_pitch_deg: float = _p(
        0.0,
        "How far the camera looks down from the horizon, for scale_source ground_plane, degrees.",
        bounds=(-90.0, 90.0),
        runtime=True,
    )
    assumed_d98_m: float = _p(
        0.0,
        "For scale_source assumed: the distance that 98 % of each image is taken to be nearer than, metres. It is a "
        "guess, and the depth is flagged as not metric.",
        bounds=(0.0, 1e4),
        runtime=True,
    )
    scale_smoothing: float = _p(
        0.5,
        "Weight of a frame's own scale in the running mean of the scale's logarithm; 1 is no smoothing.",
        bounds=(0.01, 1.0),
        runtime=True,
    )
    scale_jump: float = _p(
        0.25,
        "Relative change of the scale that is not followed until several frames agree on it.",
        bounds=(0.01, 10.0),
        runtime=True,
    )
    scale_timeout_s: float = _p(
        1.0,
        "How long a scale is valid without a new estimate, seconds; after that there are no metres.",
        bounds=(0.01, 3600.0),
        runtime=True,
    )
    scale_min_inliers: int = _p(50, "Pixels, or ranges, that must agree on a scale.", bounds=(1, 10**6), runtime=True)
    scale_max_spread: float = _p(
        0.2,
        "Greatest median deviation of a scale's samples from their median, relative to it.",
        bounds=(0.001, 10.0),
        runtime=True,
    )
    ranges_type: str = _p(
        "off",
        "Message type on the topic ranges for scale_source ranges: laser_scan is sensor_msgs/LaserScan, range "
        "sensor_msgs/Range, points sensor_msgs/PointCloud2.",
        choices=("off", "laser_scan", "range", "points"),
    )
    ranges_extrinsics: tuple[float, ...] = _p(
        (),
        "Where the ranges' sensor is: translation x, y, z in metres and quaternion x, y, z, w, from its frame to the "
        "camera's optical frame, seven numbers written with a point. Empty looks it up in tf.",
        numbers=True,
    )
    ranges_max_age_s: float = _p(
        0.1,
        "Greatest difference between the stamps of an image and of its ranges, seconds.",
        bounds=(0.0, 60.0),
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
        self._check_cameras()
        self.pipeline("")  # the combinations
        if self.focal_policy == "estimated" and self.estimate == "never":
            raise InputError("focal_policy 'estimated' needs the estimate, and 'estimate' is 'never'")
        if self.scale_source == "ranges" and self.ranges_type == "off":
            raise InputError(
                "scale_source 'ranges' needs to know which messages come on the topic ranges: set ranges_type to "
                "laser_scan, range or points"
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
