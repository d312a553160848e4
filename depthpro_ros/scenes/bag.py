# SPDX-License-Identifier: Apache-2.0
"""A camera's way through a scene as a rosbag2 in MCAP: images, calibration, exact depth and tf. No ROS needed.

Frames follow REP 103 and REP 105: `map` is level with z up; the child is the camera's optical frame, x right,
y down, z forward. Depth is 32FC1 in metres (REP 118): NaN where unknown (glass, mirrors), +inf for sky.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.bag_writer import BagWriter, camera_info_message, header, image_message, message_types
from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.scenes.layout import Camera
from depthpro_ros.scenes.paths import camera_path
from depthpro_ros.scenes.render import render_layouts
from depthpro_ros.scenes.seeds import layout_from_seed

IMAGE, CAMERA_INFO, TRUTH, TF = "/camera/image_raw", "/camera/camera_info", "/camera/depth_truth/image", "/tf"
MAP_FRAME, CAMERA_FRAME = "map", "camera_optical_frame"
FIRST_STAMP_NS = 1_735_689_600 * 10**9


@dataclass(frozen=True)
class BagOptions:
    """How long the bag is and what its camera records.

    Raises:
        InputError: a value out of range.
    """

    seconds: float = 5.0
    rate_hz: float = 10.0
    width: int = 640
    height: int = 480

    def __post_init__(self) -> None:
        """Check the ranges."""
        limits = (("seconds", self.seconds, 600), ("rate", self.rate_hz, 240), ("width", self.width, 8192))
        for name, value, most in (*limits, ("height", self.height, 8192)):
            if not 0 < value <= most:
                raise InputError(f"{name} is {value}, expected more than 0 and at most {most}")

    @property
    def stamps_s(self) -> list[float]:
        """Times of the frames from the start."""
        return [i / self.rate_hz for i in range(max(1, round(self.seconds * self.rate_hz)))]


@dataclass(frozen=True)
class Frame:
    """One moment: rgb uint8 [H, W, 3], depth_m float32 [H, W], K float64 [3, 3], and the camera's pose."""

    time_s: float
    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    matrix: NDArray[np.float64]
    camera: Camera


def frames(seed: int, options: BagOptions) -> Iterator[Frame]:
    """Render the scene of a seed along a path of the same seed."""
    layout = layout_from_seed(seed)
    path = camera_path(layout, seed, duration_s=options.seconds)
    for index, time_s in enumerate(options.stamps_s):
        camera = path.at(time_s)
        # fresh noise in every frame
        photo = replace(layout.photo, noise_seed=(layout.photo.noise_seed + 7919 * index) % 2**31)
        scene = replace(layout, camera=camera, photo=photo)
        batch = render_layouts([scene], height=options.height, width=options.width)
        focal = float(batch.focal_px[0])
        cx, cy = batch.principal_px[0].tolist()
        depth = batch.depth_m[0].masked_fill(~batch.valid[0], math.nan).numpy()
        yield Frame(
            time_s, batch.rgb[0].numpy(), depth, np.array([[focal, 0, cx], [0, focal, cy], [0, 0, 1.0]]), camera
        )


def quaternion(camera: Camera) -> tuple[float, float, float, float]:
    """Rotation of the optical frame in the map as (x, y, z, w)."""
    # The optical frame of a level camera that looks along +x, then roll about its z, pitch about its x, yaw about z.
    base = (-0.5, 0.5, -0.5, 0.5)
    roll = (0.0, 0.0, math.sin(0.5 * camera.roll_rad), math.cos(0.5 * camera.roll_rad))
    pitch = (math.sin(-0.5 * camera.pitch_rad), 0.0, 0.0, math.cos(0.5 * camera.pitch_rad))
    yaw = (0.0, 0.0, math.sin(0.5 * camera.yaw_rad), math.cos(0.5 * camera.yaw_rad))
    return _product(_product(_product(yaw, base), pitch), roll)


def _product(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Hamilton product of quaternions (x, y, z, w)."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def write_bag(path: Path, seed: int, options: BagOptions) -> None:
    """Write the bag of a scene.

    Args:
        path: folder to make; it must not be there yet.
        seed: of the scene and of the path.
        options: duration, rate and image size.

    Raises:
        InputError: the folder is there, the seed is negative, or the package rosbags is not installed.
    """
    layout_from_seed(seed)  # a bad seed is told before a folder is made
    with BagWriter(path) as bag:
        for frame in frames(seed, options):
            stamp_ns = FIRST_STAMP_NS + round(frame.time_s * 1e9)
            for topic, message in _messages(frame, stamp_ns).items():
                bag.write(topic, message, stamp_ns)


def _messages(frame: Frame, stamp_ns: int) -> dict[str, Any]:
    """The messages of one moment, by topic; tf first, so that a player has it when the image comes."""
    head = header(stamp_ns, CAMERA_FRAME)
    return {
        TF: _transform(frame.camera, stamp_ns),
        CAMERA_INFO: camera_info_message(head, _camera(frame)),
        IMAGE: image_message(head, frame.rgb, "rgb8"),
        TRUTH: image_message(head, frame.depth_m, "32FC1"),
    }


def _transform(camera: Camera, stamp_ns: int) -> Any:
    types, geometry = message_types().types, "geometry_msgs/msg/"
    transform = types[geometry + "Transform"](
        types[geometry + "Vector3"](camera.x_m, camera.y_m, camera.height_m),
        types[geometry + "Quaternion"](*quaternion(camera)),
    )
    stamped = types[geometry + "TransformStamped"](header(stamp_ns, MAP_FRAME), CAMERA_FRAME, transform)
    return types["tf2_msgs/msg/TFMessage"]([stamped])


def _camera(frame: Frame) -> CameraModel:
    height, width = frame.depth_m.shape
    (fx, _, cx), (_, fy, cy), _ = frame.matrix.tolist()
    return CameraModel.from_intrinsics(Intrinsics(width, height, fx, fy, cx, cy))
