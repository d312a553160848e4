# SPDX-License-Identifier: Apache-2.0
"""TUM RGB-D (Sturm et al. 2012): rooms, from a Kinect whose pose was tracked; also Bonn's dynamic scenes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry, folders
from depthpro_ros.evaluation.datasets.formats.files import parse_numbers, read_lines
from depthpro_ros.evaluation.datasets.formats.images import read_depth_png, read_rgb
from depthpro_ros.evaluation.datasets.formats.rotations import quaternion_to_matrix
from depthpro_ros.evaluation.datasets.frame import DatasetFrame, Extras
from depthpro_ros.stamps import nearest_pairs

UNITS_PER_METRE = 5000
TOLERANCE_NS = 20_000_000

INTRINSICS = {
    "freiburg1": (517.3, 516.5, 318.6, 255.3),
    "freiburg2": (520.9, 521.0, 325.1, 249.7),
    "freiburg3": (535.4, 539.2, 320.1, 247.6),
}
"""fx, fy, cx, cy of the three cameras, by a part of the sequence's name."""
DEFAULT_INTRINSICS = (525.0, 525.0, 319.5, 239.5)


@dataclass(frozen=True)
class TumEntry(Entry):
    image: Path
    depth: Path
    stamp_s: float
    camera_to_world: NDArray[np.float64] | None


class TumRgbd(Dataset[TumEntry]):
    """Images with the depth map and the pose that are nearest in time, at most 20 ms away, each used once.

    The root is one sequence, or a folder of sequences. The Kinect's noise grows with the square of the depth: a cap
    of 5 to 7 m is sensible.
    """

    name = "tum_rgbd"
    tree = """
SEQUENCE/               (or the sequence itself)
    rgb.txt             (lines: stamp rgb/1305031102.175304.png)
    depth.txt
    groundtruth.txt     (lines: stamp tx ty tz qx qy qz qw; may be missing)
    rgb/*.png
    depth/*.png
"""

    def _find(self) -> Iterator[TumEntry]:
        sequences = [self.root] if (self.root / "rgb.txt").is_file() else folders(self.root)
        for sequence in sequences:
            if (sequence / "rgb.txt").is_file():
                yield from _sequence(sequence)

    def _read(self, entry: TumEntry) -> DatasetFrame:
        rgb = read_rgb(entry.image)
        depth = read_depth_png(entry.depth, UNITS_PER_METRE)
        known = (numbers for part, numbers in INTRINSICS.items() if part in entry.scene)
        intrinsics = Intrinsics(rgb.shape[1], rgb.shape[0], *next(known, DEFAULT_INTRINSICS))
        extras = Extras(camera_to_world=entry.camera_to_world, stamp_s=entry.stamp_s)
        return DatasetFrame(
            entry.id, entry.scene, rgb, depth, fx_px=intrinsics.fx, intrinsics=intrinsics, extras=extras
        )


def _sequence(folder: Path) -> Iterator[TumEntry]:
    images, depths = _stamped_files(folder / "rgb.txt"), _stamped_files(folder / "depth.txt")
    trajectory = folder / "groundtruth.txt"
    poses = _stamped(trajectory, 8) if trajectory.is_file() else []
    name = folder.resolve().name
    stamps_ns = _nanoseconds(images)
    pose_of = dict(nearest_pairs(stamps_ns, _nanoseconds(poses), TOLERANCE_NS))
    for i, j in nearest_pairs(stamps_ns, _nanoseconds(depths), TOLERANCE_NS):
        stamp, image = images[i]
        pose = _pose(parse_numbers(poses[pose_of[i]][1], str(trajectory), 7)) if i in pose_of else None
        yield TumEntry(f"{name}/{Path(image).stem}", name, folder / image, folder / depths[j][1], stamp, pose)


def _nanoseconds(lines: Sequence[tuple[float, str]]) -> list[int]:
    return [round(stamp_s * 1e9) for stamp_s, _ in lines]


def _stamped_files(path: Path) -> list[tuple[float, str]]:
    return _stamped(path, 2)


def _stamped(path: Path, words: int) -> list[tuple[float, str]]:
    """Lines as stamp and the rest."""
    lines = []
    for line in read_lines(path):
        stamp, *rest = line.replace(",", " ").split() or [""]
        if len(rest) != words - 1:
            raise InputError(f"{path} has the line {line!r}, expected {words} words")
        stamp_s = float(parse_numbers(stamp, str(path), 1)[0])
        if not math.isfinite(stamp_s):
            raise InputError(f"{path} has the stamp {stamp!r}, expected seconds")
        lines.append((stamp_s, " ".join(rest)))
    return lines


def _pose(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """tx ty tz qx qy qz qw to a matrix, float64 [4, 4]."""
    pose = np.eye(4)
    pose[:3, 3] = numbers[:3]
    pose[:3, :3] = quaternion_to_matrix(numbers[6], numbers[3], numbers[4], numbers[5])
    return pose
