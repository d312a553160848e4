# SPDX-License-Identifier: Apache-2.0
"""Data sets by name."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.am2k import Am2k
from depthpro_ros.evaluation.datasets.booster import Booster
from depthpro_ros.evaluation.datasets.dataset import Dataset
from depthpro_ros.evaluation.datasets.diode import Diode
from depthpro_ros.evaluation.datasets.dis5k import Dis5k
from depthpro_ros.evaluation.datasets.eth3d import Eth3d
from depthpro_ros.evaluation.datasets.ibims1 import Ibims1
from depthpro_ros.evaluation.datasets.kitti import Kitti, KittiSelection
from depthpro_ros.evaluation.datasets.middlebury import Middlebury2014, Middlebury2021, MiddleburyV3
from depthpro_ros.evaluation.datasets.nuscenes import NuScenes
from depthpro_ros.evaluation.datasets.nyuv2 import NyuV2
from depthpro_ros.evaluation.datasets.p3m10k import P3m10k
from depthpro_ros.evaluation.datasets.photos import Photos
from depthpro_ros.evaluation.datasets.scannet import ScanNet
from depthpro_ros.evaluation.datasets.sintel import Sintel
from depthpro_ros.evaluation.datasets.spring import Spring
from depthpro_ros.evaluation.datasets.sun_rgbd import SunRgbd
from depthpro_ros.evaluation.datasets.tum_humans import TumHumans
from depthpro_ros.evaluation.datasets.tum_rgbd import TumRgbd

_CLASSES: tuple[type[Dataset[Any]], ...] = (
    Booster,
    Eth3d,
    Middlebury2014,
    MiddleburyV3,
    Middlebury2021,
    NuScenes,
    Sintel,
    SunRgbd,
    NyuV2,
    Ibims1,
    KittiSelection,
    Kitti,
    Diode,
    TumRgbd,
    TumHumans,
    ScanNet,
    Spring,
    Am2k,
    P3m10k,
    Dis5k,
    Photos,
)

DATASETS: dict[str, type[Dataset[Any]]] = {kind.name: kind for kind in _CLASSES}


def open_dataset(name: str, root: Path | str, **options: Any) -> Dataset[Any]:
    """Open a data set.

    Args:
        name: one of `DATASETS`.
        root: its folder, as the class's `tree` shows it.
        options: as the class takes them, such as `split`.

    Raises:
        InputError: an unknown name or option, or a folder that does not hold this data set.
    """
    kind = DATASETS.get(name)
    if kind is None:
        raise InputError(f"unknown data set {name!r}, known are {', '.join(DATASETS)}")
    known = option_names(name)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InputError(f"data set {name} has no option {', '.join(unknown)}, it has {', '.join(known) or 'none'}")
    return kind(Path(root).expanduser(), **options)


def option_names(name: str) -> tuple[str, ...]:
    """What `open_dataset` takes for this data set besides its folder."""
    return tuple(key for key in inspect.signature(DATASETS[name]).parameters if key != "root")
