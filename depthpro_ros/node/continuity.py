# SPDX-License-Identifier: Apache-2.0
"""What changes between the frames of one camera and must not pass unnoticed."""

from __future__ import annotations

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticStatus
from std_msgs.msg import Header

from depthpro_ros.frame_scale import FrameScale
from depthpro_ros.node.accounting import Statistics
from depthpro_ros.node.focal_watch import FocalWatch
from depthpro_ros.node.pairing import JUMP_BACK_NS, stamp_ns
from depthpro_ros.node.ros_logging import Throttle
from depthpro_ros.node.scale_status import LEVELS, scale_text
from depthpro_ros.node.sources import SourceWatch
from depthpro_ros.pipeline import DepthFrame

INFO_OLD_NS = 2_000_000_000
"""A CameraInfo that is older than its image by more has stopped coming, where infos came with the images before."""


class Continuity:
    """Watches time, frame, size, calibration, focal length and scale of the images of one camera.

    `arrived` is called by the executor's thread, everything else by the worker's.

    Args:
        statistics: where warnings are shown.
        warn: logs one.
        inform: logs what is no reason to worry.
    """

    def __init__(
        self, statistics: Statistics, *, warn: Callable[[str], object], inform: Callable[[str], object]
    ) -> None:
        self._statistics, self._warn, self._inform = statistics, warn, inform
        self._may_log = Throttle()
        self._sources, self._focals = SourceWatch(), FocalWatch()
        self._last: tuple[int, str, tuple[int, int]] | None = None
        self._paired = False
        self._scale_state = ""

    def arrived(self, header: Header) -> None:
        """An image came, whether or not it will be computed."""
        if text := self._sources.seen(header):
            self._tell("sources", text)

    def broken(self, header: Header, size: tuple[int, int]) -> bool:
        """Note an image that will be computed; whether what earlier ones said of scale and focal length is void.

        Args:
            header: the image's.
            size: height and width, pixels.
        """
        now = (stamp_ns(header), header.frame_id, size)
        last, self._last = self._last, now
        if last is None:
            return False
        if last[1:] == now[1:] and now[0] >= last[0] - JUMP_BACK_NS:
            return False
        if now[1] != last[1]:
            what = f"images are of frame {now[1]!r} now"
        elif now[2] != last[2]:
            what = f"images are {size[1]}x{size[0]} now, they were {last[2][1]}x{last[2][0]}"
        else:
            what = "time went back"
        if last[1:] != now[1:]:
            self._focals.forget()
        self._focals.unlock()
        text = f"{what}: forgetting earlier focal estimates and scales"
        if self._may_log(text):
            self._inform(text)
        return True

    def calibrated_by(self, info: Header, image: Header) -> None:
        """Note which CameraInfo an image is computed with."""
        late_ns = stamp_ns(image) - stamp_ns(info)
        if late_ns == 0:
            self._paired = True
        elif self._paired and late_ns > INFO_OLD_NS:
            # without a number, which would be another text at each image
            self._tell("camera_info", "CameraInfo has stopped coming: the last one of this frame and size is used")

    def focal(self, frame: DepthFrame, *, locked: bool, tolerance: float) -> None:
        """Note the focal length of a frame.

        Args:
            frame: the results.
            locked: whether the estimated focal length is held.
            tolerance: relative change that is no jump.
        """
        if frame.intrinsics is None or frame.focal_source != "estimated":
            self._focals.forget()
            return
        text = self._focals.jump(frame.intrinsics.fx, frame.intrinsics.width, locked, tolerance)
        if text:
            self._statistics.focal_jumped(text)
            self._warn(text)

    def scale(self, scale: FrameScale | None) -> None:
        """Note the scale of a frame's depth, to say when metres come and go."""
        state = "" if scale is None or scale.state == "off" else "no metres" if scale.tracked is None else "metres"
        if scale is None or state in ("", self._scale_state):
            return
        self._scale_state = state
        tell = self._inform if LEVELS[scale.state] == DiagnosticStatus.OK else self._warn
        tell(scale_text(scale))

    def _tell(self, subject: str, text: str) -> None:
        self._statistics.warn(subject, text)
        if self._may_log(text):
            self._warn(text)
