# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the images of a topic: their form, frame and stamps, and their CameraInfo."""

from __future__ import annotations

import statistics
from itertools import pairwise

from depthpro_ros.doctor.finding import Finding, ok, problem, warning
from depthpro_ros.doctor.graph_facts import TopicFacts

FUTURE_S = 0.05
"""A stamp this far ahead of the clock is from another clock."""
OLD_S = 1.0
"""An image this old when it arrives comes from another clock, or from a bag without its clock."""


def check_form(facts: TopicFacts) -> Finding:
    """Whether the node can decode the images."""
    last = facts.last
    if last is None:
        return warning("image", "not seen", "see rate")
    if last.compressed:
        found = f"compressed ({last.encoding}), {last.size_bytes / 1e3:.0f} kB, {last.width}x{last.height}"
    else:
        found = f"{last.encoding} {last.width}x{last.height}, step {last.step}, {last.size_bytes / 1e6:.1f} MB"
    if last.refusal:
        return problem(
            "image",
            f"{found}: {last.refusal}",
            "convert it in the driver or by image_proc: depth is made of colour images",
        )
    if last.compressed:
        return ok("image", f"{found}; needs image_transport: compressed")
    return ok("image", found)


def check_frame(facts: TopicFacts) -> Finding:
    """Whether the images say which optical frame they are from."""
    if facts.last is None:
        return warning("frame", "not seen", "see rate")
    frame = facts.last.frame_id
    if not frame:
        return problem(
            "frame", "frame_id is empty", "set the driver's frame_id: RViz and tf drop clouds without a frame"
        )
    if "optical" not in frame:
        return warning(
            "frame",
            f"{frame}: the name does not say that it is optical",
            "the node takes it for an optical frame (REP 103: z forward, x right, y down). If the cloud lies on its "
            "side in RViz, the driver's frame_id is that of the camera's body",
        )
    return ok("frame", frame)


def check_stamps(facts: TopicFacts) -> Finding:
    """Whether stamps are set, increase, and are of the clock that consumers use."""
    images = facts.images
    if not images:
        return warning("stamps", "not seen", "see rate")
    if any(i.stamp_ns == 0 for i in images):
        return problem(
            "stamps", "zero", "the driver does not stamp its images: tf, synchronisers and rosbag need the capture time"
        )
    back = sum(b.stamp_ns < a.stamp_ns for a, b in pairwise(images))
    if back:
        return problem(
            "stamps",
            f"{back} of {len(images)} images are older than the one before",
            "two publishers, or a bag that started again (--loop): tf and mapping have to be reset",
        )
    equal = sum(b.stamp_ns == a.stamp_ns for a, b in pairwise(images))
    if equal:
        return problem(
            "stamps", f"{equal} of {len(images)} images have the stamp of the one before", "stamp each image anew"
        )
    age = statistics.median((i.system_ns - i.stamp_ns) / 1e9 for i in images)
    if facts.clock:
        return _simulated(facts, age)
    if age < -FUTURE_S:
        return problem(
            "stamps",
            f"{-age:.2f} s in the future",
            "the clocks of two machines differ (chrony), or the driver takes the camera's clock: tf cannot look ahead",
        )
    if age > OLD_S:
        return warning(
            "stamps",
            f"{age:.1f} s old on arrival, and nobody publishes /clock",
            "a bag: play it with --clock, and use_sim_time:=true everywhere. A camera: compare the machines' clocks "
            "(chrony), and see whether the driver stamps at capture",
        )
    return ok("stamps", f"increasing, {age * 1e3:.0f} ms old on arrival")


def _simulated(facts: TopicFacts, age_s: float) -> Finding:
    """Of a graph with /clock."""
    ages = [(i.clock_ns - i.stamp_ns) / 1e9 for i in facts.images if i.clock_ns is not None]
    if not ages:
        return problem("stamps", "/clock has a publisher, but does not tick", "start the simulation, or resume the bag")
    simulated = statistics.median(ages)
    if abs(simulated) <= OLD_S:
        return ok("stamps", f"of /clock ({simulated * 1e3:.0f} ms old): every consumer needs use_sim_time: true")
    if -FUTURE_S <= age_s <= OLD_S:
        return problem(
            "stamps",
            f"of the system's clock, while /clock says something else by {simulated:.1f} s",
            "images are live, so nobody should publish /clock; or let the driver use it, too",
        )
    return problem(
        "stamps",
        f"{simulated:.1f} s away from /clock, {age_s:.1f} s from the system's clock",
        "something else publishes /clock, or the recording was made with another clock",
    )


def check_camera_info(facts: TopicFacts) -> Finding:
    """Whether the images' calibration is there, and theirs."""
    info, last = facts.info, facts.last
    estimate = "without it the network estimates the focal length, and depth may be wrong by a constant factor"
    if not info.publishers:
        return warning(
            "CameraInfo", f"nobody publishes {info.topic}", f"calibrate, or name it: camera_info_topic:=...; {estimate}"
        )
    camera = info.camera
    if camera is None:
        return problem("CameraInfo", f"{info.topic} has a publisher, but no message came", "see QoS")
    width, height = camera.image_size()
    found = f"{info.topic}: {width}x{height}, focal length {camera.k[0]:.1f} px"
    if not camera.calibrated:
        return warning("CameraInfo", f"{info.topic}: K[0] is 0, so not calibrated", f"calibrate the camera; {estimate}")
    if last is not None and last.width and (width, height) != (last.width, last.height):
        return problem(
            "CameraInfo",
            f"{found}, but the image is {last.width}x{last.height}",
            "the node refuses such images, whose cloud would be a cone of the wrong shape: publish the CameraInfo of "
            "this size (image_proc's resize and crop nodes do)",
        )
    if last is not None and camera.frame_id != last.frame_id:
        return problem(
            "CameraInfo",
            f"its frame is {camera.frame_id!r}, the image's {last.frame_id!r}",
            "give both the same frame_id",
        )
    stamps = {i.stamp_ns for i in facts.images}
    if len(stamps) > 1 and info.stamps_ns and not stamps & info.stamps_ns:
        return warning(
            "CameraInfo",
            f"{found}; no stamp equals an image's",
            "the node uses the newest one; image_transport's CameraPublisher gives both the same stamp",
        )
    rectified = "rect" in facts.topic.removesuffix("/compressed").rpartition("/")[2]
    if camera.distorted and not rectified:
        return warning(
            "CameraInfo", f"{found}, with lens distortion", "set rectify: true, or take image_proc's rectified topic"
        )
    return ok("CameraInfo", found)
