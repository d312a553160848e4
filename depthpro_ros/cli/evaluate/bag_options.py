# SPDX-License-Identifier: Apache-2.0
"""Options for the topics of a recording."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.cli.arguments import positive_float
from depthpro_ros.errors import DataError, InputError

if TYPE_CHECKING:
    from depthpro_ros.evaluation.bags.recording import Recording
    from depthpro_ros.evaluation.bags.topics import Choice, Wanted
    from depthpro_ros.evaluation.bags.transforms import Pose

PRESETS = ("tum", "openloris", "realsense_sdk", "realsense_ros2", "kitti2bag", "zed", "none")


def add_topic_arguments(parser: argparse.ArgumentParser) -> None:
    """Which topics, where they are not found by themselves."""
    group = parser.add_argument_group("topics", "Found by type, encoding and namespace, and shown; these options win.")
    group.add_argument("--preset", choices=PRESETS, help="the topics of a well known recorder; none looks for no one's")
    group.add_argument("--image-topic", metavar="TOPIC")
    group.add_argument("--info-topic", metavar="TOPIC", help="CameraInfo of the image")
    group.add_argument("--truth-topic", metavar="TOPIC", help="depth image or point cloud")
    group.add_argument(
        "--truth-kind",
        choices=("registered", "depth", "cloud"),
        help="depth image of the image's own pixels, of another camera (by tf), or a cloud (by tf)",
    )
    group.add_argument("--truth-info-topic", metavar="TOPIC", help="CameraInfo of a depth image of another camera")
    group.add_argument(
        "--truth-pose",
        metavar=("X", "Y", "Z", "QX", "QY", "QZ", "QW"),
        nargs=7,
        type=float,
        help="pose of the ground truth's frame in the image's optical frame, metres and quaternion, instead of tf",
    )
    group.add_argument(
        "--slop", metavar="S", type=float, default=0.02, help="stamps of partners are at most S seconds apart"
    )
    group.add_argument(
        "--depth-scale", metavar="N", type=positive_float, help="stored ground truth values per metre, if unusual"
    )


@contextmanager
def opened(path: Path) -> Iterator[Recording]:
    """A recording, with what is wrong with it on standard error.

    Raises:
        DataError: there is none.
    """
    from depthpro_ros.evaluation.bags.recording import Recording

    try:
        recording = Recording(path)
    except InputError as error:
        raise DataError(str(error)) from error
    with recording:
        for problem in recording.problems:
            print(f"depthpro: warning: {problem.text}", file=sys.stderr)
        yield recording


def topics_of(args: argparse.Namespace, recording: Recording) -> Choice:
    """Choose the topics and show them on standard error."""
    from depthpro_ros.evaluation.bags.topic_info import list_topics
    from depthpro_ros.evaluation.bags.topics import choose_topics, topic_table

    topics = list_topics(recording)
    choice = choose_topics(topics, wanted_of(args), args.preset)
    print(f"{topic_table(topics, choice)}\ntopics by {choice.reason}", file=sys.stderr)
    return choice


def wanted_of(args: argparse.Namespace) -> Wanted:
    """The topics that the user says."""
    from depthpro_ros.evaluation.bags.topics import Wanted

    return Wanted(args.image_topic, args.info_topic, args.truth_topic, args.truth_kind, args.truth_info_topic)


def pose_of(args: argparse.Namespace) -> Pose | None:
    """From --truth-pose.

    Raises:
        InputError: numbers that are no pose.
    """
    if args.truth_pose is None:
        return None
    from depthpro_ros.evaluation.bags.transforms import pose_matrix

    if not all(map(math.isfinite, args.truth_pose)) or not any(args.truth_pose[3:]):
        raise InputError(f"--truth-pose {args.truth_pose}: expected x y z in metres and a quaternion qx qy qz qw")
    return pose_matrix(args.truth_pose[:3], args.truth_pose[3:])
