# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a running graph: who publishes and listens, what arrives, and whether a depth node serves it."""

from __future__ import annotations

from itertools import pairwise

from depthpro_ros.doctor.finding import Finding, Level, ok, problem, warning
from depthpro_ros.doctor.graph_facts import DepthNodeFacts, Mismatch, TopicFacts
from depthpro_ros.doctor.graph_images import check_camera_info, check_form, check_frame, check_stamps
from depthpro_ros.doctor.shared_memory import DEFAULT_SEGMENT

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
FEW_HZ = 1.0
NAMED = 5
"""So many of a list are named."""


def check_publishers(facts: TopicFacts) -> Finding:
    """Whether one node publishes images there."""
    count = len(facts.publishers)
    if not count:
        others = ", ".join(facts.others[:NAMED])
        return problem(
            "publishers",
            f"nobody publishes {facts.topic}" + (f"; images are on {others}" if others else "; no image topic is seen"),
            "look for typing errors and namespaces (ros2 topic list), ROS_DOMAIN_ID, and whether the driver runs"
            if not others
            else "use one of these topics: image_topic:=...",
        )
    wrong = sorted({p.type for p in facts.publishers} - set(IMAGE_TYPES))
    if wrong:
        return problem(
            "publishers", f"{facts.topic} is {', '.join(wrong)}", f"take a topic of {' or '.join(IMAGE_TYPES)}"
        )
    names = ", ".join(p.node for p in facts.publishers)
    if count > 1:
        return warning(
            "publishers",
            f"{count} publishers: {names}",
            "two cameras on one topic give depth that jumps: give each its own",
        )
    reliability = "best effort" if facts.publishers[0].best_effort else "reliable"
    return ok("publishers", f"{names}, {reliability}")


def check_mismatches(mismatches: tuple[Mismatch, ...], outputs: int) -> Finding:
    """Whether every subscriber can hear its publisher.

    Args:
        mismatches: pairs that do not connect.
        outputs: how many of the depth node's topics were looked at, too.
    """
    if mismatches:
        said = "; ".join(f"{m.topic}: {m.subscriber} hears nothing from {m.publisher} ({m.reason})" for m in mismatches)
        return problem(
            "QoS",
            said,
            "a reliable subscriber gets nothing from a best-effort publisher, a transient-local one nothing from a "
            "volatile one: change the subscriber's policy (in RViz: Topic, Reliability Policy), or the publisher's by "
            "its qos_overrides parameters",
        )
    said = f", its CameraInfo and {outputs} outputs of the depth node" if outputs else " and its CameraInfo"
    return ok("QoS", f"every subscriber of the image{said} fits its publisher")


def check_best_effort(facts: TopicFacts) -> Finding:
    """Whether large images are sent in the way that loses them."""
    size = facts.last.size_bytes if facts.last else 0
    sent = any(p.best_effort for p in facts.publishers)
    if sent and size > DEFAULT_SEGMENT and "fastrtps" in facts.middleware:
        return warning(
            "large images",
            f"{size / 1e6:.1f} MB, best effort: without a profile of its own the driver sends them over UDP, of which "
            "readers lose nearly all",
            "start the driver with config/fastdds.xml as profile, let it publish reliably, or compressed",
        )
    return ok("large images", f"{size / 1e6:.1f} MB a message" if size else "not seen")


def check_arrival(facts: TopicFacts) -> Finding:
    """Whether images come, and how many a second."""
    times = [i.monotonic_s for i in facts.images]
    if not times:
        return problem(
            "rate",
            f"no image in {facts.seconds:.0f} s",
            "if QoS is well: the driver may wait for its camera, the bag be paused, or images be lost on the way "
            "(Fast DDS profile above; across machines: firewall, multicast, Wi-Fi)",
        )
    if len(times) < 2:
        return warning(
            "rate", f"one image in {facts.seconds:.0f} s", "listen longer (--seconds), or see why so few arrive"
        )
    gaps = [b - a for a, b in pairwise(times)]
    hz = len(gaps) / (times[-1] - times[0]) if times[-1] > times[0] else float("inf")
    found = f"{hz:.1f} images/s, {len(times)} in {facts.seconds:.0f} s, longest gap {max(gaps):.2f} s"
    if hz < FEW_HZ:
        return warning("rate", found, "less than one a second: images may be lost on the way, see Fast DDS profile")
    return ok("rate", found)


def check_depth_node(nodes: tuple[DepthNodeFacts, ...], topic: str) -> Finding:
    """Whether a depth node serves the topic.

    Args:
        nodes: that say so on /diagnostics.
        topic: of the images.
    """
    if not nodes:
        return warning(
            "depth node",
            f"none says on /diagnostics that it takes images from {topic}",
            f"ros2 launch depthpro_ros depth.launch.py image_topic:={topic}",
        )
    node = max(nodes, key=lambda n: n.level)
    found = f"{node.name}: {node.state}, {node.fps_out} frames/s. {node.message}"
    if node.state != "active":
        return problem("depth node", found, f"ros2 lifecycle set {node.name.split(':')[0]} activate (configure first)")
    if node.level >= 2:
        return problem("depth node", found, "its log has more; see the message above")
    if not node.subscribed:
        return warning(
            "depth node", f"{found}; nobody subscribes to its outputs", "nothing is computed until somebody does"
        )
    return warning("depth node", found, "see the message") if node.level else ok("depth node", found)


def check_all(facts: TopicFacts) -> list[Finding]:
    """All of this file."""
    findings = [check_publishers(facts), check_mismatches(facts.mismatches, facts.outputs)]
    if facts.publishers and findings[0].level is not Level.PROBLEM:
        findings += [
            check_arrival(facts),
            check_best_effort(facts),
            check_form(facts),
            check_frame(facts),
            check_stamps(facts),
            check_camera_info(facts),
        ]
    return [*findings, check_depth_node(facts.depth_nodes, facts.topic)]
