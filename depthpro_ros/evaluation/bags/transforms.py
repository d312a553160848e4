# SPDX-License-Identifier: Apache-2.0
"""Where frames are at a time, from /tf and /tf_static, without ROS."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.bag_messages import frame_id
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.messages import TF_TYPES
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.datasets.formats.rotations import quaternion_to_matrix

Pose = NDArray[np.float64]
"""[4, 4], metres."""

HOLD_S = 0.1
"""Before its first and after its last transform a frame is taken to stand still for so long."""
STEADY_FRAME = "odom"
"""The fixed frame in which a robot moves without jumps (REP 105)."""


@dataclass(frozen=True)
class Transform:
    """A frame in its parent, at a time.

    Attributes:
        parent, child: frames, without leading slashes.
        stamp_ns: when; of no meaning where it is static.
        translation_m: x, y, z.
        rotation: quaternion x, y, z, w.
        static: it holds at any time.
    """

    parent: str
    child: str
    stamp_ns: int
    translation_m: tuple[float, float, float]
    rotation: tuple[float, float, float, float]
    static: bool = False


class TransformTree:
    """Frames, each in its parent, over time.

    A frame that had several parents has the last one.
    """

    def __init__(self, transforms: Iterable[Transform]) -> None:
        moves: dict[str, list[Transform]] = defaultdict(list)
        for transform in transforms:
            known = moves[transform.child]
            if transform.static or (known and (known[-1].static or known[-1].parent != transform.parent)):
                known.clear()
            known.append(transform)
        self._moves = {child: sorted(known, key=lambda t: t.stamp_ns) for child, known in moves.items()}
        self._stamps_ns = {child: [t.stamp_ns for t in known] for child, known in self._moves.items()}

    @classmethod
    def of(cls, recording: Recording) -> TransformTree:
        """All transforms of a recording; what is on a topic .../tf_static holds at any time.

        Raises:
            InputError: a message is damaged.
        """
        topics = [topic for topic, kind in recording.types.items() if kind in TF_TYPES]
        found = []
        for read in recording.messages(topics):
            for stamped in read.message.transforms:
                t, r = stamped.transform.translation, stamped.transform.rotation
                stamp = stamped.header.stamp
                found.append(
                    Transform(
                        frame_id(stamped),
                        str(stamped.child_frame_id).lstrip("/"),
                        stamp.sec * 10**9 + stamp.nanosec,
                        (t.x, t.y, t.z),
                        (r.x, r.y, r.z, r.w),
                        static=read.topic.endswith("tf_static"),
                    )
                )
        return cls(found)

    def between(self, target: str, target_ns: int, source: str, source_ns: int) -> Pose:
        """Pose of the source frame at its time in the target frame at its own: target_from_source, float64 [4, 4].

        Where the times differ, the way leads over a frame that stands still meanwhile: odom, else the tree's root. If
        that one is not known at these times, frames that are fixed to each other are taken at one time.

        Raises:
            InputError: the frames are not connected, or not at these times.
        """
        if target == source and target_ns == source_ns:
            return np.eye(4)
        up_target, up_source = self._ancestors(target), self._ancestors(source)
        common = [frame for frame in up_target if frame in up_source]
        if not common:
            raise InputError(
                f"tf does not connect {target!r} (known up to {up_target[-1]!r}) with {source!r} (up to "
                f"{up_source[-1]!r}): record /tf and /tf_static, or give the transform"
            )
        nearest, steady = common[0], STEADY_FRAME if STEADY_FRAME in common else common[-1]
        if target_ns == source_ns:
            return self._over(nearest, target, target_ns, source, source_ns)
        rigid = self._rigid(up_target, nearest) and self._rigid(up_source, nearest)
        try:
            return self._over(steady, target, target_ns, source, source_ns)
        except InputError:
            if not rigid:
                raise
            return self._over(nearest, target, target_ns, source, source_ns)

    def _over(self, via: str, target: str, target_ns: int, source: str, source_ns: int) -> Pose:
        return np.linalg.inv(self._up(target, via, target_ns)) @ self._up(source, via, source_ns)

    def _ancestors(self, frame: str) -> list[str]:
        found = [frame]
        while found[-1] in self._moves:
            parent = self._moves[found[-1]][-1].parent
            if parent in found:
                raise InputError(f"tf goes round in a circle: {' in '.join([*found, parent])}")
            found.append(parent)
        return found

    def _rigid(self, ancestors: list[str], up_to: str) -> bool:
        return all(self._moves[frame][0].static for frame in ancestors[: ancestors.index(up_to)])

    def _up(self, frame: str, ancestor: str, stamp_ns: int) -> Pose:
        """Pose of a frame in one of its ancestors."""
        pose = np.eye(4)
        while frame != ancestor:
            pose = self._at(frame, stamp_ns) @ pose
            frame = self._moves[frame][-1].parent
        return pose

    def _at(self, child: str, stamp_ns: int) -> Pose:
        """In its parent: between two transforms, linear in translation and in angle."""
        known, stamps = self._moves[child], self._stamps_ns[child]
        if known[0].static:
            return _matrix(np.array(known[0].translation_m), np.array(known[0].rotation))
        early, late = stamps[0] - stamp_ns, stamp_ns - stamps[-1]
        if max(early, late) > HOLD_S * 1e9:
            raise InputError(
                f"tf knows {child!r} in {known[-1].parent!r} from {stamps[0] / 1e9:.3f} to {stamps[-1] / 1e9:.3f} s, "
                f"not at {stamp_ns / 1e9:.3f} s"
            )
        after = min(bisect_right(stamps, stamp_ns), len(known) - 1)
        a, b = known[max(after - 1, 0)], known[after]
        span = b.stamp_ns - a.stamp_ns
        share = min(max((stamp_ns - a.stamp_ns) / span, 0.0), 1.0) if span else 1.0
        start, end = np.array(a.translation_m), np.array(b.translation_m)
        return _matrix(start + share * (end - start), slerp(np.array(a.rotation), np.array(b.rotation), share))


def slerp(a: NDArray[np.float64], b: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Between two unit quaternions, the shorter way round (Shoemake 1985)."""
    cosine = float(a @ b)
    if cosine < 0:
        b, cosine = -b, -cosine
    angle = float(np.arccos(min(cosine, 1.0)))
    if angle < 1e-6:
        return a + share * (b - a)
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)


def pose_matrix(translation_m: Sequence[float], rotation: Sequence[float]) -> Pose:
    """A pose from its translation and its quaternion (x, y, z, w), of any length but 0."""
    quaternion = np.asarray(rotation, np.float64)
    return _matrix(np.asarray(translation_m, np.float64), quaternion / np.linalg.norm(quaternion))


def _matrix(translation_m: NDArray[np.float64], rotation: NDArray[np.float64]) -> Pose:
    pose = np.eye(4)
    x, y, z, w = rotation
    pose[:3, :3] = quaternion_to_matrix(w, x, y, z)
    pose[:3, 3] = translation_m
    return pose
