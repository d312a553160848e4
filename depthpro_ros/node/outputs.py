# SPDX-License-Identifier: Apache-2.0
"""The topics that the node publishes, and when."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from depthpro_ros.camera import CameraModel
from depthpro_ros.node import direct
from depthpro_ros.node.compressed import Encodings, PreviewWriter, compressed_depth
from depthpro_ros.node.messages import camera_info
from depthpro_ros.node.scale_status import scale_message
from depthpro_ros.node.writers import Writers
from depthpro_ros.pipeline import DepthFrame, Wanted

DEPTH, DEPTH_INFO, POINTS, ESTIMATED_INFO = (
    "depth/image",
    "depth/camera_info",
    "depth/points",
    "estimated/camera_info",
)
COMPRESSED_DEPTH, PREVIEW = "depth/image/compressedDepth", "depth/image/compressed"
"""What image_transport's plugins of these names make of the depth image."""
RGB, RGB_INFO = "rgb/image", "rgb/camera_info"
"""The image that the depth was made of, with the depth's header and size."""
RELATIVE, CONFIDENCE, SCALE = "depth/relative", "depth/confidence", "depth/scale"
"""Only models whose depth is up to scale have the first; the others are made where there is something to say."""
TOPICS = {
    DEPTH: Image,
    DEPTH_INFO: CameraInfo,
    COMPRESSED_DEPTH: CompressedImage,
    PREVIEW: CompressedImage,
    POINTS: PointCloud2,
    RGB: Image,
    RGB_INFO: CameraInfo,
    ESTIMATED_INFO: CameraInfo,
    RELATIVE: Image,
    CONFIDENCE: Image,
    SCALE: DiagnosticArray,
}
"""Every output: its name relative to the node's namespace (and the camera's name), and its type."""
TRANSPORTS = ("/compressedDepth", "/compressed")
"""What a topic's name ends with that follows another's, wherever that is remapped to."""


class Outputs:
    """Publishers of everything that the node makes of one camera's images.

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
                _topic(node, f"{camera}/{name}" if camera else name),
                qos,
                qos_overriding_options=QoSOverridingOptions.with_default_policies(),
            )
            for name, type_ in TOPICS.items()
        }
        self._writers = [Writers(), Writers()]
        self._preview = PreviewWriter()
        self._scale_name = f"{node.get_fully_qualified_name()}: {f'{camera} scale'.lstrip()}"

    def subscribed(self) -> frozenset[str]:
        """The outputs that anybody listens to."""
        return frozenset(n for n, p in self._publishers.items() if p.get_subscription_count())

    @staticmethod
    def wanted(subscribed: frozenset[str]) -> Wanted:
        """What the pipeline must compute for these outputs."""
        return Wanted(
            depth=not subscribed.isdisjoint((DEPTH, COMPRESSED_DEPTH, PREVIEW)),
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
        """Let go of the messages' memory; nothing may be in publication."""
        for writers in self._writers:
            writers.release()
        self._writers = [Writers(), Writers()]

    def publish(
        self, frame: DepthFrame, header: Header, subscribed: frozenset[str], encodings: Encodings, writers: Writers
    ) -> None:
        """Publish one frame's results, with its image's header, to those who listen; what takes long comes last.

        Args:
            frame: the results; a cloud in host memory lies in the messages already.
            header: of the image.
            subscribed: the outputs that are wanted.
            encodings: of the depth images.
            writers: the messages to use: what `spare` was when the frame was computed.
        """
        self._publish_small(frame, header, subscribed)
        self._publish_images(frame, header, subscribed, encodings, writers)
        if POINTS in subscribed and frame.cloud is not None:
            cloud = writers.cloud.message(frame.cloud, header)
            direct.publish(self._publishers[POINTS], cloud)
            writers.cloud_lock.hold(cloud.data, frame.device)
        self._publish_compressed(frame, header, subscribed, encodings)

    def _publish_small(self, frame: DepthFrame, header: Header, subscribed: frozenset[str]) -> None:
        """Cameras and scale."""
        if frame.camera is not None and (names := subscribed & {DEPTH_INFO, RGB_INFO}):
            info = camera_info(frame.camera, header)
            for name in names:
                self._publishers[name].publish(info)
        if ESTIMATED_INFO in subscribed and frame.estimated is not None:
            camera = CameraModel.from_intrinsics(frame.estimated)
            self._publishers[ESTIMATED_INFO].publish(camera_info(camera, header))
        if SCALE in subscribed and frame.scale is not None:
            self._publishers[SCALE].publish(scale_message(frame.scale, header, self._scale_name))

    def _publish_images(
        self, frame: DepthFrame, header: Header, subscribed: frozenset[str], encodings: Encodings, writers: Writers
    ) -> None:
        """Images as they are."""
        device = frame.device
        if DEPTH in subscribed and frame.depth_m is not None:
            image = writers.depth.message(frame.depth_m, header, encodings.depth)
            direct.publish(self._publishers[DEPTH], image)
            writers.depth_lock.hold(image.data, device)
        if RGB in subscribed:
            direct.publish(self._publishers[RGB], writers.rgb.message(frame.rgb, header))
        if RELATIVE in subscribed and frame.relative_depth is not None:
            image = writers.relative.message(frame.relative_depth, header, "32FC1")
            direct.publish(self._publishers[RELATIVE], image)
            writers.relative_lock.hold(image.data, device)
        if CONFIDENCE in subscribed and frame.confidence is not None:
            image = writers.confidence.message(frame.confidence, header, "32FC1")
            direct.publish(self._publishers[CONFIDENCE], image)
            writers.confidence_lock.hold(image.data, device)

    def _publish_compressed(
        self, frame: DepthFrame, header: Header, subscribed: frozenset[str], encodings: Encodings
    ) -> None:
        """The depth image in fewer bytes."""
        if frame.depth_m is None or subscribed.isdisjoint((COMPRESSED_DEPTH, PREVIEW)):
            return
        depth_m = frame.depth_m.cpu()
        if COMPRESSED_DEPTH in subscribed:
            self._publishers[COMPRESSED_DEPTH].publish(compressed_depth(depth_m, header, encodings))
        if PREVIEW in subscribed:
            self._publishers[PREVIEW].publish(self._preview.message(depth_m, header, encodings))


def _topic(node: LifecycleNode, name: str) -> str:
    """A topic's name, beside the image's where it is that image over a transport."""
    for transport in TRANSPORTS:
        if name.endswith(transport):
            return str(node.resolve_topic_name(name.removesuffix(transport))) + transport
    return name
