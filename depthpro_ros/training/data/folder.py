# SPDX-License-Identifier: Apache-2.0
"""A folder of images and depth maps as a data set."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.encoded_images import decode_image
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import read_npy
from depthpro_ros.frames import RgbdFrame
from depthpro_ros.images import decode_compressed
from depthpro_ros.stamps import nearest_pairs
from depthpro_ros.training.data import intrinsics_file

RGB_FOLDERS = ("rgb", "color", "image", "images")
DEPTH_FOLDER = "depth"
RGB_SUFFIXES = (".png", ".jpg", ".jpeg")
DEPTH_SUFFIXES = (".png", ".pgm", ".tif", ".tiff", ".npy")
EXPECTED = "rgb/*.png|jpg (or color/, image/, images/) and depth/*.png|pgm|tif|npy"
TUM_TOLERANCE_S = 0.02
MILLIMETRES = 1000.0

logger = logging.getLogger(__name__)


class FolderSet:
    """Images in `rgb/` (or `color/`, `image/`, `images/`) with depth maps in `depth/`.

    Files are paired by their stem. Where no stem of the one is a stem of the other and there are as many of
    both, they are paired in sorted order (2 before 10). Where rgb.txt and depth.txt are beside them (TUM
    RGB-D), they are paired by the nearest stamp. The focal length is `fx_px` if given, else that of
    intrinsics/<stem>.json|txt, else of intrinsics.json, camera.json or intrinsics.txt in the folder.

    Args:
        root: the folder.
        depth_scale: stored values per metre (1000: millimetres); where it is None, integers are taken as
            millimetres and floating-point numbers as metres.
        fx_px: focal length of every image, pixels, instead of the folder's files.
        max_depth_m: finite depth beyond it counts as unknown, for sensors that are poor far away.
        name: for reports; the folder's name where it is None.

    Raises:
        InputError: no such folder, nothing in it, files that cannot be paired, or no focal length.
    """

    def __init__(
        self,
        root: Path,
        *,
        depth_scale: float | None = None,
        fx_px: float | None = None,
        max_depth_m: float | None = None,
        name: str | None = None,
    ) -> None:
        if depth_scale is not None and not (math.isfinite(depth_scale) and depth_scale > 0):
            raise InputError(f"depth_scale is {depth_scale}, expected values per metre above 0 (1000: millimetres)")
        if fx_px is not None and not (math.isfinite(fx_px) and fx_px > 0):
            raise InputError(f"fx_px is {fx_px}, expected a number of pixels above 0")
        if not root.is_dir():
            raise InputError(f"{root} is no folder; expected a folder with {EXPECTED}")
        self.name = name or root.resolve().name
        self._depth_scale, self._fx_px = depth_scale, fx_px
        self._max_depth_m = math.inf if max_depth_m is None else max_depth_m
        self._pairs = _tum_pairs(root) if (root / "rgb.txt").is_file() else _folder_pairs(root)
        self._intrinsics = [] if fx_px else [self._intrinsics_path(root, rgb.stem) for rgb, _ in self._pairs]

    def __len__(self) -> int:
        return len(self._pairs)

    def frame(self, index: int) -> RgbdFrame:
        """Read a pair.

        Raises:
            InputError: a file that is missing or damaged, depth of another size, or a wrong focal length.
        """
        rgb_path, depth_path = self._pairs[index]
        try:
            rgb = decode_compressed(rgb_path.read_bytes())
        except (OSError, InputError) as error:
            raise InputError(f"{rgb_path} cannot be read: {error}") from error
        depth_m = read_depth(depth_path, self._depth_scale)
        height, width = rgb.shape[:2]
        if depth_m.shape != (height, width):
            raise InputError(
                f"{rgb_path} is {width}x{height} pixels, {depth_path.name} is {depth_m.shape[1]}x{depth_m.shape[0]}: "
                "register the depth to the image, or resize one to the other's size"
            )
        depth_m[np.isfinite(depth_m) & (depth_m > self._max_depth_m)] = np.nan
        fx_px = self._fx_px or intrinsics_file.read_fx(self._intrinsics[index], width, height)
        return RgbdFrame(rgb, depth_m, fx_px)

    def _intrinsics_path(self, root: Path, stem: str) -> Path:
        own = [root / "intrinsics" / f"{stem}{suffix}" for suffix in (".json", ".txt")]
        for path in (*own, *(root / name for name in intrinsics_file.NAMES)):
            if path.is_file():
                return path
        raise InputError(
            f"{root} tells no focal length for image {stem}: write {root / intrinsics_file.NAMES[0]} with "
            f"{intrinsics_file.EXAMPLE}, or give fx_px"
        )


def read_depth(path: Path, depth_scale: float | None = None) -> NDArray[np.float32]:
    """A depth map in metres, float32 [H, W]; NaN where it is unknown (0, negative or NaN), +inf for sky.

    Args:
        path: an image with 16-bit integers or 32-bit floats, or a NumPy array.
        depth_scale: stored values per metre; None means 1000 for integers and 1 for floating-point numbers.

    Raises:
        InputError: missing, damaged, more than one channel, or 8-bit (a picture of depth, not depth).
    """
    try:
        stored = read_npy(path) if path.suffix == ".npy" else decode_image(path.read_bytes(), cv2.IMREAD_UNCHANGED)
    except (OSError, InputError) as error:
        raise InputError(f"depth {path} cannot be read: {error}") from error
    stored = stored[..., 0] if stored.ndim == 3 and stored.shape[2] == 1 else stored
    integer = np.issubdtype(stored.dtype, np.integer)
    if stored.ndim != 2 or stored.dtype.itemsize < 2 or not (integer or np.issubdtype(stored.dtype, np.floating)):
        raise InputError(
            f"depth {path} is {stored.dtype} {list(stored.shape)}: expected one channel of 16-bit integers or floats "
            "(8-bit and colour pictures of depth hold no metres)"
        )
    scale = depth_scale or (MILLIMETRES if integer else 1.0)
    depth_m = stored.astype(np.float32) / np.float32(scale)
    depth_m[~(depth_m > 0)] = np.nan
    return depth_m


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key by which 2 comes before 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.stem)]


def _files(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in suffixes):
        if path.stem in found:
            raise InputError(f"{path} and {found[path.stem].name} have one name: remove one of them")
        found[path.stem] = path
    return found


def _folder_pairs(root: Path) -> list[tuple[Path, Path]]:
    rgb_folder = next((root / name for name in RGB_FOLDERS if (root / name).is_dir()), None)
    depth_folder = root / DEPTH_FOLDER
    if rgb_folder is None or not depth_folder.is_dir():
        raise InputError(f"{root} has {_listing(root)}; expected {EXPECTED}")
    rgb, depth = _files(rgb_folder, RGB_SUFFIXES), _files(depth_folder, DEPTH_SUFFIXES)
    if not rgb or not depth:
        raise InputError(f"{root} has {len(rgb)} images and {len(depth)} depth maps; expected {EXPECTED}")
    common = [stem for stem in rgb if stem in depth]
    if common:
        if len(common) < max(len(rgb), len(depth)):
            logger.warning(
                "%s: %d of %d images and %d depth maps have a partner of the same name; the others are left out",
                root, len(common), len(rgb), len(depth),
            )  # fmt: skip
        return [(rgb[stem], depth[stem]) for stem in sorted(common, key=lambda stem: _natural(rgb[stem]))]
    if len(rgb) != len(depth):
        raise InputError(
            f"{root} has {len(rgb)} images and {len(depth)} depth maps without one name in common, such as "
            f"{next(iter(rgb.values())).name} and {next(iter(depth.values())).name}: give partners the same name"
        )
    logger.warning("%s: no names in common, so images and depth maps are paired in sorted order", root)
    return list(zip(sorted(rgb.values(), key=_natural), sorted(depth.values(), key=_natural), strict=True))


def _listing(root: Path) -> str:
    names = sorted(p.name for p in root.iterdir())
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "nothing in it"


def _tum_pairs(root: Path) -> list[tuple[Path, Path]]:
    rgb, depth = (_tum_list(root / name) for name in ("rgb.txt", "depth.txt"))
    pairs = nearest_pairs([t for t, _ in rgb], [t for t, _ in depth], int(TUM_TOLERANCE_S * 1e9))
    if not pairs:
        raise InputError(f"{root}: no image of rgb.txt has a depth map of depth.txt within {TUM_TOLERANCE_S} s")
    return [(root / rgb[i][1], root / depth[j][1]) for i, j in pairs]


def _tum_list(path: Path) -> list[tuple[int, str]]:
    """Stamps in nanoseconds and file names."""
    try:
        lines: Iterable[str] = path.read_text().splitlines()
        rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
        return [(round(float(row[0]) * 1e9), row[1]) for row in rows]
    except (OSError, UnicodeDecodeError, ValueError, IndexError, OverflowError) as error:
        raise InputError(f"{path} cannot be read ({error}); expected lines of a stamp and a file name") from error
