# SPDX-License-Identifier: Apache-2.0
"""RTAB-Map's rgbd_sync with approx_sync false, and what rtabmap then asks of an RGB-D image (rtabmap_conversions).

The three inputs are joined where their stamps are equal to the nanosecond, out of queues of limited length; the depth
is 16UC1, mono16 or 32FC1; the colour is one of eight bits (or mono16); the image's size is a whole multiple of the
depth's, the same both ways. The calibration's P is the camera, and the image's frame is the depth's.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import Refused
from .reading import depth_values, stamp

INPUTS = ("rgb/image", "depth/image", "rgb/camera_info")
COLOURS = ("mono8", "mono16", "bgr8", "rgb8", "bgra8", "rgba8", "bayer_grbg8", "bayer_rggb8", "8UC1")


@dataclass
class RgbdSync:
    """Joins messages as they come."""

    sync_queue_size: int = 5
    waiting: OrderedDict[tuple[int, int], dict[str, Any]] = field(default_factory=OrderedDict)
    joined: list[dict[str, Any]] = field(default_factory=list)

    def receive(self, topic: str, message: Any) -> None:
        """A message on one of `INPUTS`."""
        key = stamp(message)
        entry = self.waiting.setdefault(key, {})
        entry[topic] = message
        if len(entry) == len(INPUTS):
            self.joined.append(self.waiting.pop(key))
            # an exact synchroniser gives up what is older
            for older in [k for k in self.waiting if k < key]:
                del self.waiting[older]
        while len(self.waiting) > self.sync_queue_size:
            self.waiting.popitem(last=False)


def points_of_rgbd(joined: dict[str, Any]) -> np.ndarray:
    """What rtabmap sees in a joined message: points [h, w, 3] in the optical frame, NaN where there is no depth."""
    rgb, depth, info = (joined[name] for name in INPUTS)
    if rgb.encoding not in COLOURS:
        raise Refused(f"colour of encoding {rgb.encoding!r}")
    if rgb.width // depth.width != rgb.height // depth.height or rgb.width % depth.width or rgb.height % depth.height:
        raise Refused(f"colour {rgb.width} x {rgb.height}, depth {depth.width} x {depth.height}")
    if (info.width, info.height) != (rgb.width, rgb.height):
        raise Refused(f"calibration {info.width} x {info.height}, colour {rgb.width} x {rgb.height}")
    if rgb.header.frame_id != info.header.frame_id:
        raise Refused("colour and calibration have different frames")
    values = depth_values(depth)
    z = values * 0.001 if depth.encoding == "16UC1" else values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        z = np.where(np.isfinite(z) & (z > 0), z, np.nan)
    scale = depth.width / rgb.width
    v, u = np.mgrid[: depth.height, : depth.width]
    x = (u - info.p[2] * scale) * z / (info.p[0] * scale)
    return np.stack([x, (v - info.p[6] * scale) * z / (info.p[5] * scale), z], -1)
