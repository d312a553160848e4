# SPDX-License-Identifier: Apache-2.0
"""Recordings: their storage, and the messages in them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from rosbags.highlevel import anyreader
from rosbags.serde import cdr, ros1
from rosbags.serde.utils import compile_lines

from depthpro_ros.bag_messages import (
    COMPRESSED,
    IMAGE,
    INFO,
    camera_model,
    depth_metres,
    frame_id,
    rgb_pixels,
    stamp_ns,
)
from depthpro_ros.evaluation.bags.messages import CLOUD, STAMPED_TYPES, TF_TYPES, deserialised
from depthpro_ros.evaluation.bags.projection import cloud_points
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.scan import RawMessage, Report
from depthpro_ros.evaluation.bags.scan_mcap import scan_mcap
from depthpro_ros.evaluation.bags.scan_ros1 import scan_ros1
from depthpro_ros.evaluation.bags.scan_sqlite import scan_sqlite
from depthpro_ros.evaluation.bags.topic_info import list_topics
from depthpro_ros.evaluation.bags.transforms import TransformTree
from test.bag_writer import ROS2, BagWriter
from test.fuzz import repairs
from test.fuzz.image_targets import DEPTH, RGB, encoded
from test.fuzz.target import Target, file_of, scratch

_TYPES = (IMAGE, COMPRESSED, INFO, CLOUD, TF_TYPES[0])
Scan = Callable[[Path, Report], Iterator[RawMessage]]


def fill(bag: BagWriter) -> None:
    """Write a message of every type that is read."""
    bag.image("/camera/image_raw", 10, RGB, "rgb8")
    bag.image("/camera/depth", 10, DEPTH, "16UC1")
    bag.compressed("/camera/image_raw/compressed", 10, encoded(".jpg", RGB), "jpeg")
    bag.info("/camera/camera_info", 10, 20.0, width=RGB.shape[1], height=RGB.shape[0])
    bag.cloud("/points", 10, np.ones((4, 3), np.float32))
    bag.transform(10, "base", "camera", (0, 0, 1))


def write_bag(path: Path, storage: str, compression: str = "") -> Path:
    """A small recording with a message of every type that is read; the path of its file."""
    with BagWriter(path, storage, compression) as bag:
        fill(bag)
    if bag.path.is_file():
        return bag.path
    return next(file for file in bag.path.iterdir() if file.suffix != ".yaml")


def bags(*kinds: tuple[str, str]) -> list[bytes]:
    """The files of recordings, by storage and compression."""
    return [
        write_bag(Path(tempfile.mkdtemp(dir=scratch())) / "bag", storage, compression).read_bytes()
        for storage, compression in kinds
    ]


def use(message: Any, kind: str) -> None:
    """What the evaluation takes from a message of a recording."""
    assert isinstance(frame_id(message), str)
    if kind == IMAGE and message.encoding in ("16UC1", "32FC1"):
        assert depth_metres(message).dtype == np.float32
    elif kind == COMPRESSED and "compressedDepth" in message.format:
        assert depth_metres(message).ndim == 2
    elif kind in (IMAGE, COMPRESSED):
        assert rgb_pixels(message).shape[2] == 3
    elif kind == INFO:
        camera = camera_model(message, True)
        assert camera.intrinsics(*camera.image_size(), rectified=False).width > 0
    else:
        assert cloud_points(message).shape[1] == 3


def bag_message(content: bytes) -> None:
    """The number of a type, then a serialised message."""
    if not content:
        return
    kind = _TYPES[content[0] % len(_TYPES)]
    raw = content[1:]
    if kind in STAMPED_TYPES:
        assert isinstance(stamp_ns(raw, True), int)
    message = deserialised(raw, kind, is_ros2=True)
    if kind in STAMPED_TYPES:
        use(message, kind)
    else:
        assert len(message.transforms) >= 0


def _messages() -> Sequence[bytes]:
    made: list[bytes] = []

    class Keep(BagWriter):
        def write(self, topic: str, message: Any, time_ns: int) -> None:
            kind = message.__msgtype__
            made.append(bytes([_TYPES.index(kind)]) + bytes(ROS2.serialize_cdr(message, kind)))

    with Keep(scratch() / "kept") as bag:
        fill(bag)
    return made


def scanned(scan: Scan, name: str) -> Callable[[bytes], None]:
    """A storage file read from its start, without its index."""

    def parse(content: bytes) -> None:
        for message in scan(file_of(name, content), lambda text, kind: None):
            assert isinstance(message.data, bytes) and isinstance(message.time_ns, int)

    return parse


@cache
def remember_definitions() -> None:
    """Let rosbags parse each text of a message definition, and compile each function that it writes, once.

    It does both anew whenever a bag is opened, which is nearly all the time that takes, and most cases leave the
    definitions as they are.
    """
    anyreader.get_types_from_msg = lru_cache(maxsize=1000)(anyreader.get_types_from_msg)

    @lru_cache(maxsize=10_000)
    def compiled(lines: tuple[str, ...]) -> ModuleType:
        return compile_lines(list(lines))

    for module in (cdr, ros1):
        vars(module)["compile_lines"] = lambda lines: compiled(tuple(lines))


def recording(content: bytes) -> None:
    """The number of a suffix, then a bag; opened as the evaluation does, and all its messages read."""
    if not content:
        return
    remember_definitions()
    path = file_of("bag" + (".mcap", ".db3", ".bag", ".mcap.zstd")[content[0] % 4], content[1:])
    with Recording(path) as opened:
        list_topics(opened)
        TransformTree.of(opened)
        for read in opened.messages(list(opened.types)):
            if opened.types[read.topic] in STAMPED_TYPES:
                assert frame_id(read.message) is not None


def _recordings() -> Sequence[bytes]:
    kinds = (("mcap", ""), ("sqlite", ""), ("ros1", "bz2"), ("mcap", "file"))
    return [bytes([number]) + content for number, content in enumerate(bags(*kinds))]


def metadata(content: bytes) -> None:
    """The metadata.yaml of a good rosbag2 folder."""
    remember_definitions()
    folder = scratch() / "folder"
    if not folder.exists():
        with BagWriter(folder, "mcap") as bag:
            bag.info("/camera/camera_info", 10, 20.0)
    file_of("folder/metadata.yaml", content)
    with Recording(folder) as opened:
        assert opened.counts is not None


def _metadata() -> Sequence[bytes]:
    folder = scratch() / "described"
    shutil.rmtree(folder, ignore_errors=True)
    with BagWriter(folder, "mcap") as bag:
        bag.info("/camera/camera_info", 10, 20.0)
    return [(folder / "metadata.yaml").read_bytes().replace(b"described", b"folder")]


TARGETS = (
    Target("bag_message", bag_message, _messages, repair=repairs.png),
    Target("mcap", scanned(scan_mcap, "a.mcap"), lambda: bags(("mcap", ""), ("mcap", "storage")), repair=repairs.mcap),
    Target("sqlite_bag", scanned(scan_sqlite, "scan.db3"), lambda: bags(("sqlite", ""))),
    Target("ros1_bag", scanned(scan_ros1, "scan.bag"), lambda: bags(("ros1", ""), ("ros1", "bz2"), ("ros1", "lz4"))),
    Target("recording", recording, _recordings, repair=repairs.mcap),
    Target("bag_metadata", metadata, _metadata),
)
