# SPDX-License-Identifier: Apache-2.0
"""How RealSense's recorder tells where its cameras are: a transform beside each stream, not tf.

Next to `/device_0/sensor_1/Color_0/image/data` stands `/device_0/sensor_1/Color_0/tf/N`, a geometry_msgs/Transform that
takes points of the reference N to the stream's camera (librealsense, ros_writer: device::get_extrinsics).
"""

from __future__ import annotations

import numpy as np

from depthpro_ros.evaluation.bags.messages import TRANSFORM
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.transforms import Pose, pose_matrix

DATA = "/image/data"


def recorded_pose(recording: Recording, image_topic: str, truth_topic: str) -> Pose | None:
    """Pose of the truth's camera in the image's, float64 [4, 4]; None unless both tell theirs to one reference."""
    to_image, to_truth = (_from_references(recording, topic) for topic in (image_topic, truth_topic))
    common = sorted(set(to_image) & set(to_truth))
    return to_image[common[0]] @ np.linalg.inv(to_truth[common[0]]) if common else None


def _from_references(recording: Recording, topic: str) -> dict[str, Pose]:
    """By the number of the reference, what takes its points to the stream's camera."""
    if not topic.endswith(DATA):
        return {}
    prefix = topic.removesuffix(DATA) + "/tf/"
    found = {}
    for name, kind in recording.types.items():
        if name.startswith(prefix) and kind == TRANSFORM:
            for read in recording.messages([name]):
                t, r = read.message.translation, read.message.rotation
                found[name.removeprefix(prefix)] = pose_matrix((t.x, t.y, t.z), (r.x, r.y, r.z, r.w))
    return found
