# SPDX-License-Identifier: Apache-2.0
"""The topics that the node publishes."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from depthpro_ros.camera import CameraModel
from depthpro_ros.node import direct
from depthpro_ros.node.device_copy import PageLock
from depthpro_ros.node.messages import CloudWriter, DepthWriter, camera_info
from depthpro_ros.node.scale_status import scale_message
from depthpro_ros.pipeline import DepthFrame, Wanted

DEPTH, DEPTH_INFO, POINTS, ESTIMATED_INFO = (
    "depth/image",
    "depth/camera_info",
    "depth/points",
    "estimated/camera_info",
)
RELATIVE, CONFIDENCE, SCALE = "depth/relative", "depth/confidence", "depth/scale"
"""Only models whose depth is up to scale have these."""
TOPICS = {
    DEPTH: Image,
    DEPTH_INFO: CameraInfo,
    POINTS: PointCloud2,
    ESTIMATED_INFO: CameraInfo,
    RELATIVE: Image,
    CONFIDENCE: Image,
    SCALE: DiagnosticArray,
}
"""Every output: its name relative to the node's namespace (and the camera's name), and its type."""


class Writers:
    """The large messages of one frame, whose memory later frames use again."""

    def __init__(self) -> None:
        serialised = direct.can_publish_directly()
        self.depth, self.cloud = DepthWriter(serialised=serialised), CloudWriter(serialised=serialised)
        self.relative, self.confidence = DepthWriter(serialised=serialised), DepthWriter(serialised=serialised)
        self.depth_lock, self.cloud_lock = PageLock(), PageLock()
        self.relative_lock, self.confidence_lock = PageLock(), PageLock()

    def release(self) -> None:
        """Let go of the messages' memory as far as the GPU's driver knows of it."""
        for lock in (self.depth_lock, self.cloud_lock, self.relative_lock, self.confidence_lock):
            lock.release()


class Outputs:
    """Publishers of depth, its camera, the cloud, and the estimated camera; and of depth up to scale.

    They are the node's lifecycle publishers: what is published while the node is inactive is dropped. They
    offer reliable delivery, so that any subscriber gets them, and `qos_overrides` parameters.

    There are two sets of messages, which alternate: while one is published, the next frame is written into the
    other.

    Args:
        node: that publishes.
        camera: goes before each topic's name; empty for none.
    """

    def __init__(self, node: LifecycleNode, camera: str = "") -> None:
        qos = QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)
        self._publishers = {
            name: node.create_lifecycle_publisher(
                type_,
                f"{camera}/{name}" if camera else name,
                qos,
                qos_overriding_options=QoSOverridingOptions.with_default_policies(),
            )
            for name, type_ in TOPICS.items()
        }
        self._writers = [Writers(), Writers()]
        self._scale_name = f"{node.get_fully_qualified_name()}: {f'{camera} scale'.lstrip()}"

    def subscribed(self) -> frozenset[str]:
        """The outputs that anybody listens to."""
        return frozenset(n for n, p in self._publishers.items() if p.get_subscription_count())

    @staticmethod
    def wanted(subscribed: frozenset[str]) -> Wanted:
        """What the pipeline must compute for these outputs."""
        return Wanted(
            depth=DEPTH in subscribed,
            cloud=POINTS in subscribed,
            confidence=CONFIDENCE in subscribed,
            scale=SCALE in subscribed,
        )

    @property
    def spare(self) -> Writers:
        """Where the next frame is to be written: not the messages that `swap` was last called for."""
        return self._writers[0]

    def swap(self) -> None:
        """The spare messages are to be published; the others are free once they are out."""
        self._writers.reverse()

    def release(self) -> None:
        """Let go of memory that the GPU's driver knows of; nothing may be in publication."""
        for writers in self._writers:
            writers.release()

    def publish(
        self, frame: DepthFrame, header: Header, subscribed: frozenset[str], encoding: str, writers: Writers
    ) -> None:
        """Publish one frame's results, with its image's header, to those who listen.

        Args:
            frame: the results; a cloud in host memory lies in the messages already.
            header: of the image.
            subscribed: the outputs that are wanted.
            encoding: of the depth image.
            writers: the messages to use: what `spare` was when the frame was computed.
        """
        device = frame.device
        if DEPTH_INFO in subscribed and frame.camera is not None:
            self._publishers[DEPTH_INFO].publish(camera_info(frame.camera, header))
        if ESTIMATED_INFO in subscribed and frame.estimated is not None:
            camera = CameraModel.from_intrinsics(frame.estimated)
            self._publishers[ESTIMATED_INFO].publish(camera_info(camera, header))
        if SCALE in subscribed and frame.scale is not None:
            self._publishers[SCALE].publish(scale_message(frame.scale, header, self._scale_name))
        if DEPTH in subscribed and frame.depth_m is not None:
            image = writers.depth.message(frame.depth_m, header, encoding)
            direct.publish(self._publishers[DEPTH], image)
            writers.depth_lock.hold(image.data, device)
        if RELATIVE in subscribed and frame.relative_depth is not None:
            image = writers.relative.message(frame.relative_depth, header, "32FC1")
            direct.publish(self._publishers[RELATIVE], image)
            writers.relative_lock.hold(image.data, device)
        if CONFIDENCE in subscribed and frame.confidence is not None:
            image = writers.confidence.message(frame.confidence, header, "32FC1")
            direct.publish(self._publishers[CONFIDENCE], image)
            writers.confidence_lock.hold(image.data, device)
        if POINTS in subscribed and frame.cloud is not None:
            cloud = writers.cloud.message(frame.cloud, header)
            direct.publish(self._publishers[POINTS], cloud)
            writers.cloud_lock.hold(cloud.data, device)
