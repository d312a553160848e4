# SPDX-License-Identifier: Apache-2.0
"""The cameras of a node: each has its topics, its outputs, its calibrations and its counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depthpro_ros.node.accounting import Statistics
from depthpro_ros.node.outputs import Outputs
from depthpro_ros.node.pairing import CameraInfos
from depthpro_ros.node.parameters import Settings
from depthpro_ros.node.ranges import RangeSensor
from depthpro_ros.node.subscriptions import MatchedSubscription


class Camera:
    """What belongs to one camera for as long as the node lives.

    Args:
        node: that subscribes and publishes.
        name: goes before each topic's name; empty for a node with one camera.

    Attributes:
        label: the name, as the beginning of a log message.
        outputs, infos, statistics: of this camera alone.
        ranges: its range sensor, while that is subscribed.
    """

    def __init__(self, node: LifecycleNode, name: str = "") -> None:
        self.name = name
        self.label = f"{name}: " if name else ""
        self.outputs = Outputs(node, name)
        self.infos = CameraInfos()
        self.statistics = Statistics()
        self.ranges: RangeSensor | None = None
        self._node = node
        self._image: MatchedSubscription | None = None
        self._info: MatchedSubscription | None = None

    @property
    def image_topic(self) -> str:
        """The image topic, fully resolved, without the transport's suffix."""
        return self._node.resolve_topic_name(self._relative("image")).removesuffix("/compressed")

    @property
    def camera_info_topic(self) -> str:
        """What `camera_info` was remapped to, or else the sibling of the image topic."""
        name = self._relative("camera_info")
        resolved = self._node.resolve_topic_name(name)
        if resolved != self._node.resolve_topic_name(name, only_expand=True):
            return resolved
        return self.image_topic.rsplit("/", 1)[0] + "/camera_info"

    def info_expected(self) -> bool:
        """Whether anybody publishes CameraInfo."""
        return self._info is not None and self._info.publishers > 0

    def subscribe(
        self,
        settings: Settings,
        on_image: Callable[[Image | CompressedImage], None],
        on_info: Callable[[], None],
        *,
        with_ranges: bool = False,
    ) -> None:
        """Subscribe to image and calibration.

        Args:
            settings: transport and reliability.
            on_image: gets each image.
            on_info: called once a calibration is in `infos`.
            with_ranges: subscribe to the range sensor, too.

        Raises:
            InputError: nobody knows where the range sensor is.
        """

        def put_info(info: CameraInfo) -> None:
            self.infos.put(info)
            on_info()

        compressed = settings.image_transport == "compressed"
        reliability = settings.image_reliability
        if with_ranges:
            topic = self._node.resolve_topic_name(self._relative("ranges"))
            self.ranges = RangeSensor(self._node, topic, settings)
        self._info = MatchedSubscription(
            self._node, CameraInfo, self.camera_info_topic, put_info, depth=10, reliability=reliability
        )
        self._image = MatchedSubscription(
            self._node,
            CompressedImage if compressed else Image,
            self.image_topic + ("/compressed" if compressed else ""),
            on_image,
            reliability=reliability,
        )
        self._node.get_logger().info(
            f"{self.label}active: images from {self._image.topic}, calibration from {self._info.topic}"
            + (f", ranges from {self.ranges.topic}" if self.ranges is not None else "")
        )

    def unsubscribe(self) -> None:
        """End the subscriptions and forget the calibrations."""
        for subscription in (self._image, self._info, self.ranges):
            if subscription is not None:
                subscription.destroy()
        self._image = self._info = self.ranges = None
        self.infos.clear()

    def facts(self) -> dict[str, str]:
        """Topics, publishers and subscribers, for diagnostics; warns of several publishers."""
        facts: dict[str, str] = {"camera": self.name} if self.name else {}
        facts |= {"image topic": self.image_topic, "camera_info topic": self.camera_info_topic}
        if self._image is not None:
            facts["image reliability"] = self._image.reliability.name.lower()
            names = self._image.publisher_names
            facts["image publishers"] = ", ".join(names)
            if len(names) > 1:
                self.statistics.warn(
                    "publishers",
                    f"{len(names)} publishers share {self._image.topic} ({', '.join(names)}): their images are taken "
                    "for one camera's",
                )
        if self.ranges is not None:
            facts |= {"ranges topic": self.ranges.topic, "ranges in": str(self.ranges.arrived)}
        return facts | {"subscribed outputs": ", ".join(sorted(self.outputs.subscribed()))}

    def _relative(self, topic: str) -> str:
        return f"{self.name}/{topic}" if self.name else topic


def cameras(node: LifecycleNode, names: Sequence[str]) -> list[Camera]:
    """The cameras of a node: those named, or one without a name."""
    return [Camera(node, name) for name in names or ("",)]
