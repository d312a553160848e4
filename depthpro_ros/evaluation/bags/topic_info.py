# SPDX-License-Identifier: Apache-2.0
"""The topics of a recording, as their first messages show them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from depthpro_ros.bag_messages import COMPRESSED, DEPTH_TYPES, IMAGE, INFO, frame_id
from depthpro_ros.evaluation.bags.messages import CLOUD, STAMPED_TYPES
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.images import ENCODINGS


@dataclass(frozen=True)
class TopicInfo:
    """A topic, as its first message shows it.

    Attributes:
        name, type: as in the bag, the type in ROS 2's spelling.
        count: how many messages can be read.
        encoding: of an image; the format of a compressed one.
        width, height: pixels; 0 where the first message does not say.
        frame_id: of its header, without a leading slash.
    """

    name: str
    type: str
    count: int
    encoding: str = ""
    width: int = 0
    height: int = 0
    frame_id: str = ""

    @property
    def kind(self) -> Literal["colour", "depth", "camera_info", "cloud", "other"]:
        """What it can be used for."""
        if self.type == INFO:
            return "camera_info"
        if self.type == CLOUD:
            return "cloud"
        if self.type == COMPRESSED:
            return "depth" if "compressedDepth" in self.encoding or self.name.endswith("/compressedDepth") else "colour"
        if self.type == IMAGE and self.encoding in ("32FC1", "16UC1"):
            return "depth"
        # RealSense and OpenLORIS say mono16 for depth
        if self.type == IMAGE and self.encoding in DEPTH_TYPES and "depth" in self.name.lower():
            return "depth"
        return "colour" if self.type == IMAGE and self.encoding in ENCODINGS else "other"


def list_topics(recording: Recording) -> tuple[TopicInfo, ...]:
    """All topics by name, with what the first message of each image, calibration and cloud says."""
    found = []
    for name, type_ in sorted(recording.types.items()):
        info = TopicInfo(name, type_, recording.counts[name])
        references = recording.references(name)
        if references and type_ in STAMPED_TYPES:
            message = recording.read(references[0]).message
            info = replace(info, frame_id=frame_id(message))
            if type_ in (IMAGE, INFO):
                info = replace(info, width=message.width, height=message.height)
            if type_ in (IMAGE, COMPRESSED):
                info = replace(info, encoding=message.encoding if type_ == IMAGE else message.format)
        found.append(info)
    return tuple(found)
