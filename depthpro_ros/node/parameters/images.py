# SPDX-License-Identifier: Apache-2.0
"""Parameters of what comes in."""

from __future__ import annotations

from dataclasses import dataclass

from depthpro_ros.node.parameter_spec import row


@dataclass(frozen=True)
class ImageParameters:
    """Cameras and their images."""

    cameras: tuple[str, ...] = row(
        (),
        "Names of several cameras that share the network, such as [front, rear]. Each has topics of its own: "
        "NAME/image, NAME/camera_info, NAME/depth/image and so on. Empty is one camera, whose topics have no such "
        "prefix.",
    )
    max_batch: int = row(
        0,
        "How many images are computed at once at most; cameras take turns where more wait. 0 is one of each camera.",
        bounds=(0, 64),
        runtime=True,
    )
    image_transport: str = row(
        "raw",
        "raw subscribes sensor_msgs/Image on the image topic, compressed sensor_msgs/CompressedImage on "
        "<image topic>/compressed.",
        choices=("raw", "compressed"),
    )
    image_reliability: str = row(
        "auto",
        "Reliability asked of the image and camera_info publishers. auto is reliable where all of them offer it.",
        choices=("auto", "reliable", "best_effort"),
    )
    camera_info_wait_s: float = row(
        0.2,
        "How long an image waits for the CameraInfo of its own stamp before the newest one is used, seconds.",
        bounds=(0.0, 10.0),
        runtime=True,
    )
    max_rate_hz: float = row(
        0.0,
        "How many images of each camera are computed a second at most; those between are dropped, and counted. 0 is "
        "no limit.",
        bounds=(0.0, 1000.0),
        runtime=True,
    )
    max_image_megapixels: float = row(
        64.0,
        "Larger images are refused, compressed ones before they are decoded, in millions of pixels.",
        bounds=(0.01, 1000.0),
        runtime=True,
    )
