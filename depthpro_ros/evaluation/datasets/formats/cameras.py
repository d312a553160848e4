# SPDX-License-Identifier: Apache-2.0
"""Calibration files: Middlebury's calib.txt, COLMAP's lists, OpenCV's XML, KITTI's calib_cam_to_cam.txt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import parse_numbers, read_lines, read_text


def intrinsics_of(k: NDArray[np.float64], width: int, height: int) -> Intrinsics:
    """From a matrix K, float64 [3, 3] or larger, for images of this size."""
    return Intrinsics(width, height, float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2]))


@dataclass(frozen=True)
class StereoCalibration:
    """The left camera of a rectified pair.

    Attributes:
        k: float64 [3, 3], pixels.
        baseline_m: distance of the cameras.
        doffs_px: cx of the right camera less that of the left.
    """

    k: NDArray[np.float64]
    baseline_m: float
    doffs_px: float


def read_middlebury_calib(path: Path) -> StereoCalibration:
    """Middlebury's calib.txt: `cam0=[f 0 cx; 0 f cy; 0 0 1]`, `doffs=` and `baseline=` in millimetres.

    Raises:
        InputError: missing, or without one of these lines.
    """
    values = dict(line.split("=", 1) for line in read_lines(path) if "=" in line)
    for key in ("cam0", "doffs", "baseline"):
        if key not in values:
            raise InputError(f"{path} has no line {key}=, it has {sorted(values)}")
    k = parse_numbers(values["cam0"].strip("[] ").replace(";", " "), f"{path}: cam0", 9).reshape(3, 3)
    doffs, baseline = (float(parse_numbers(values[key], f"{path}: {key}", 1)[0]) for key in ("doffs", "baseline"))
    return StereoCalibration(k, baseline / 1000, doffs)


@dataclass(frozen=True)
class ColmapCamera:
    """A line of COLMAP's cameras.txt; the first two parameters of every model used here are fx and fy."""

    model: str
    width: int
    height: int
    parameters: tuple[float, ...]

    @property
    def fx_px(self) -> float:
        """Horizontal focal length at this camera's width."""
        return self.parameters[0]


def read_colmap_cameras(path: Path) -> dict[int, ColmapCamera]:
    """COLMAP's cameras.txt, by camera number: `ID MODEL WIDTH HEIGHT PARAMETERS...`.

    Raises:
        InputError: missing or of another form.
    """
    cameras = {}
    for line in read_lines(path):
        number, *rest = line.split()
        numbers = parse_numbers(" ".join(rest[1:]), f"{path}: camera {number}")
        if not number.isdecimal() or len(numbers) < 3 or not np.isfinite(numbers[:2]).all():
            raise InputError(f"{path} has the line {line!r}, expected ID MODEL WIDTH HEIGHT PARAMETERS")
        width, height, *parameters = numbers
        cameras[int(number)] = ColmapCamera(rest[0], int(width), int(height), tuple(parameters))
    return cameras


def read_colmap_image_cameras(path: Path) -> dict[str, int]:
    """COLMAP's images.txt: the camera's number by the image's file name, without folders.

    Each image has two lines, `ID QW QX QY QZ TX TY TZ CAMERA NAME` and its points, which may be an empty line.

    Raises:
        InputError: missing or of another form.
    """
    lines = [line for line in read_text(path).splitlines() if not line.startswith("#")]
    cameras = {}
    for line in lines[::2]:
        words = line.split()
        if not words:
            continue
        if len(words) != 10 or not words[8].isdigit():
            raise InputError(f"{path} has a line of {len(words)} words, expected ten that describe an image: {line!r}")
        cameras[Path(words[9]).name] = int(words[8])
    return cameras


def read_opencv_xml(path: Path) -> dict[str, NDArray[np.float64]]:
    """Matrices and numbers of an OpenCV FileStorage in XML, float64 [rows, cols], a number as [1, 1].

    Raises:
        InputError: missing or no XML.
    """
    text = read_text(path)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputError(f"{path} defines entities of its own, which OpenCV never writes: refused")
    try:
        storage = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{path} is no XML: {error}") from error
    nodes = {}
    for node in storage:
        data = node.find("data")
        if data is not None:
            rows, columns = (_count(node.findtext(key, "0"), f"{path}: {node.tag}") for key in ("rows", "cols"))
            numbers = parse_numbers(data.text or "", f"{path}: {node.tag}", rows * columns)
            nodes[node.tag] = numbers.reshape(rows, columns)
        elif len(node) == 0 and _is_number(node.text):
            nodes[node.tag] = np.array([[float(node.text or "")]])
    return nodes


def read_kitti_projection(path: Path, key: str = "P_rect_02") -> NDArray[np.float64]:
    """The camera's matrix in KITTI's calib_cam_to_cam.txt, float64 [3, 4].

    Raises:
        InputError: missing, or without this key.
    """
    values = dict(line.split(":", 1) for line in read_lines(path) if ":" in line)
    if key not in values:
        raise InputError(f"{path} has no line {key}:, it has {sorted(values)}")
    return parse_numbers(values[key], f"{path}: {key}", 12).reshape(3, 4)


def _count(text: str, source: str) -> int:
    if not text.strip().isdecimal():
        raise InputError(f"{source} has {text!r} where a number of rows or columns was expected")
    return int(text)


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True
