# SPDX-License-Identifier: Apache-2.0
"""nuScenes (Caesar et al. 2020): streets, from six cameras and a lidar on a car."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry
from depthpro_ros.evaluation.datasets.formats.cameras import intrinsics_of
from depthpro_ros.evaluation.datasets.formats.files import read_bytes, read_lines, read_text
from depthpro_ros.evaluation.datasets.formats.images import read_rgb
from depthpro_ros.evaluation.datasets.formats.rotations import quaternion_to_matrix
from depthpro_ros.evaluation.datasets.frame import DatasetFrame, Extras
from depthpro_ros.json_text import parse_json

LIDAR = "LIDAR_TOP"
MIN_DEPTH_M = 1.0
"""Nearer points are the car's own."""
BORDER_PX = 1

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """One sensor's file and where the sensor was.

    Attributes:
        sensor_to_ego, ego_to_world: float64 [4, 4]; the car moves between lidar and camera.
        stamp_s: when it was taken.
    """

    path: Path
    sensor_to_ego: Matrix
    ego_to_world: Matrix
    stamp_s: float

    @property
    def sensor_to_world(self) -> Matrix:
        """Float64 [4, 4]."""
        return self.ego_to_world @ self.sensor_to_ego


@dataclass(frozen=True)
class NuScenesEntry(Entry):
    image: Reading
    lidar: Reading
    k: Matrix


class NuScenes(Dataset[NuScenesEntry]):
    """Key frames of one camera, with the lidar's points projected: less than one pixel in a hundred has a depth.

    Args:
        version: the folder of tables: `v1.0-trainval`, `v1.0-mini`.
        camera: `CAM_FRONT` and others.
        scenes: a text file with the names of the scenes to use, such as those of the validation set; else all.
    """

    name = "nuscenes"
    tree = """
v1.0-trainval/*.json        (or v1.0-mini, with version=v1.0-mini)
samples/CAM_FRONT/*.jpg
samples/LIDAR_TOP/*.pcd.bin
"""

    def __init__(
        self,
        root: Path,
        *,
        version: str = "v1.0-trainval",
        camera: str = "CAM_FRONT",
        scenes: str | Path | None = None,
    ) -> None:
        self._version, self._camera = version, camera
        self._scenes = None if scenes is None else Path(scenes)
        super().__init__(root)

    def _find(self) -> Iterator[NuScenesEntry]:
        try:
            yield from self._entries()
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise InputError(
                f"the tables in {self.root / self._version} do not fit together ({type(error).__name__}: {error}): "
                "unpack them again"
            ) from error

    def _entries(self) -> Iterator[NuScenesEntry]:
        wanted = None if self._scenes is None else set(read_lines(self._scenes))
        channel_of = {row["token"]: row["channel"] for row in self._table("sensor")}
        sensors = self._by_token("calibrated_sensor")
        scene_of = {row["token"]: row["name"] for row in self._table("scene")}
        readings: dict[tuple[str, str], dict[str, Any]] = {}
        for row in self._table("sample_data"):
            channel = channel_of[sensors[row["calibrated_sensor_token"]]["sensor_token"]]
            if row["is_key_frame"] and channel in (LIDAR, self._camera):
                readings[row["sample_token"], channel] = row
        poses_needed = {row["ego_pose_token"] for row in readings.values()}
        poses = {row["token"]: row for row in self._table("ego_pose") if row["token"] in poses_needed}
        samples = sorted(self._table("sample"), key=lambda row: (scene_of[row["scene_token"]], row["timestamp"]))
        for sample in samples:
            scene = scene_of[sample["scene_token"]]
            image = readings.get((sample["token"], self._camera))
            lidar = readings.get((sample["token"], LIDAR))
            if image is None or lidar is None or (wanted is not None and scene not in wanted):
                continue
            k = np.array(sensors[image["calibrated_sensor_token"]]["camera_intrinsic"], np.float64)
            if k.shape != (3, 3):
                raise InputError(f"{image['filename']} has camera_intrinsic {k.tolist()}, expected 3 x 3")
            yield NuScenesEntry(
                Path(image["filename"]).stem,
                scene,
                self._reading(image, sensors, poses),
                self._reading(lidar, sensors, poses),
                k,
            )

    def _read(self, entry: NuScenesEntry) -> DatasetFrame:
        rgb = read_rgb(entry.image.path)
        intrinsics = intrinsics_of(entry.k, rgb.shape[1], rgb.shape[0])
        content = read_bytes(entry.lidar.path)
        if len(content) % 20:
            raise InputError(f"{entry.lidar.path} has {len(content)} bytes, expected five float32 for each point")
        points = np.frombuffer(content, "<f4").reshape(-1, 5)[:, :3].astype(np.float64)
        lidar_to_camera = np.linalg.inv(entry.image.sensor_to_world) @ entry.lidar.sensor_to_world
        in_camera = points @ lidar_to_camera[:3, :3].T + lidar_to_camera[:3, 3]
        return DatasetFrame(
            entry.id,
            entry.scene,
            rgb,
            splat(in_camera, entry.k, rgb.shape[1], rgb.shape[0]),
            fx_px=intrinsics.fx,
            intrinsics=intrinsics,
            extras=Extras(camera_to_world=entry.image.sensor_to_world, stamp_s=entry.image.stamp_s),
        )

    def _reading(self, row: dict[str, Any], sensors: dict[str, Any], poses: dict[str, Any]) -> Reading:
        return Reading(
            self.root / row["filename"],
            _transform(sensors[row["calibrated_sensor_token"]]),
            _transform(poses[row["ego_pose_token"]]),
            row["timestamp"] / 1e6,
        )

    def _table(self, name: str) -> list[dict[str, Any]]:
        path = self.root / self._version / f"{name}.json"
        text = read_text(path)
        try:
            return parse_json(text)
        except ValueError as error:
            raise InputError(f"{path} is no JSON: {error}") from error

    def _by_token(self, name: str) -> dict[str, Any]:
        return {row["token"]: row for row in self._table(name)}


def splat(points_m: Matrix, k: Matrix, width: int, height: int) -> NDArray[np.float32]:
    """Depth of the nearest point on each pixel, float32 [height, width], NaN where there is none.

    Args:
        points_m: float64 [N, 3] in the camera's optical frame.
        k: float64 [3, 3].
    """
    points_m = points_m[points_m[:, 2] > MIN_DEPTH_M]
    u, v, _ = (k @ (points_m / points_m[:, 2:]).T) if len(points_m) else np.empty((3, 0))
    inside = (u > BORDER_PX) & (u < width - 1 - BORDER_PX) & (v > BORDER_PX) & (v < height - 1 - BORDER_PX)
    depth = np.full((height, width), np.inf)
    np.minimum.at(depth, (np.rint(v[inside]).astype(int), np.rint(u[inside]).astype(int)), points_m[inside, 2])
    return np.where(np.isfinite(depth), depth, np.nan).astype(np.float32)


def _transform(row: dict[str, Any]) -> Matrix:
    """A table's translation and rotation (w first), float64 [4, 4]."""
    matrix = np.eye(4)
    matrix[:3, :3] = quaternion_to_matrix(*row["rotation"])
    matrix[:3, 3] = row["translation"]
    return matrix
