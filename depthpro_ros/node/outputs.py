# SPDX-License-Identifier: Apache-2.0
"""The topics that the node publishes."""

from __future__ import annotations

from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from depthpro_ros.camera import CameraModel
from depthpro_ros.node.messages import CloudWriter, DepthWriter, camera_info
from depthpro_ros.pipeline import CloudMemory, DepthFrame, Wanted

DEPTH, DEPTH_INFO, POINTS, ESTIMATED_INFO = (
    "depth/image",
    "depth/camera_info",
    "depth/points",
    "estimated/camera_info",
)
TOPICS = {DEPTH: Image, DEPTH_INFO: CameraInfo, POINTS: PointCloud2, ESTIMATED_INFO: CameraInfo}
"""Every output: its name relative to the node's namespace, and its type."""


class Outputs:
    """Publishers of depth, its camera, the cloud, and the estimated camera.

    They are the node's lifecycle publishers: what is published while the node is inactive is dropped. They
    offer reliable delivery, so that any subscriber gets them, and `qos_overrides` parameters.
    """

    def __init__(self, node: LifecycleNode) -> None:
        qos = QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)
        self._publishers = {
            name: node.create_lifecycle_publisher(
                type_, name, qos, qos_overriding_options=QoSOverridingOptions.with_default_policies()
            )
            for name, type_ in TOPICS.items()
        }
        self._depth, self._cloud = DepthWriter(), CloudWriter()

    def subscribed(self) -> frozenset[str]:
        """The outputs that anybody listens to."""
        return frozenset(n for n, p in self._publishers.items() if p.get_subscription_count())

    @staticmethod
    def wanted(subscribed: frozenset[str]) -> Wanted:
        """What the pipeline must compute for these outputs."""
        return Wanted(depth=DEPTH in subscribed, cloud=POINTS in subscribed)

    @property
    def cloud_memory(self) -> CloudMemory:
        """Where an organised cloud is to be written: into the next message."""
        return self._cloud.memory

    def publish(self, frame: DepthFrame, header: Header, subscribed: frozenset[str], encoding: str) -> None:
        """Publish one frame's results, with its image's header, to those who listen."""
        if DEPTH_INFO in subscribed:
            self._publishers[DEPTH_INFO].publish(camera_info(frame.camera, header))
        if ESTIMATED_INFO in subscribed and frame.estimated is not None:
            camera = CameraModel.from_intrinsics(frame.estimated)
            self._publishers[ESTIMATED_INFO].publish(camera_info(camera, header))
        if DEPTH in subscribed:
            self._publishers[DEPTH].publish(self._depth.message(frame.depth_m, header, encoding))
        if POINTS in subscribed and frame.cloud is not None:
            self._publishers[POINTS].publish(self._cloud.message(frame.cloud, header))
