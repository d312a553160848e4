# SPDX-License-Identifier: Apache-2.0
"""`depthpro image` as a user runs it, once in a process of its own, with the bundled model."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from depthpro_ros.cli import main as cli

WIDTH, HEIGHT, FOCAL_35MM = 96, 64, 28


def depthpro(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "depthpro_ros.cli", *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


@dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str


def depthpro_here(capsys: pytest.CaptureFixture[str], *arguments: object) -> Done:
    """The same in this process, where an error that is not handled fails the test."""
    try:
        code = cli.main([*map(str, arguments)])
    except SystemExit as end:
        code = int(end.code or 0)
    return Done(code, *capsys.readouterr())


def write_photo(path: Path, *, exif: bool, orientation: int = 1) -> None:
    rng = np.random.default_rng(7)
    pixels = cv2.resize(rng.integers(0, 255, (8, 12, 3), np.uint8), (WIDTH, HEIGHT))
    tags = Image.Exif()
    if exif:
        tags[0x0112] = orientation
        tags.get_ifd(0x8769)[0xA405] = FOCAL_35MM
    Image.fromarray(pixels).save(path, exif=tags)


def read_ply(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points and colours, by the PLY format's own definition."""
    head, body = path.read_bytes().split(b"end_header\n", 1)
    lines = head.decode("ascii").splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    assert [line for line in lines if line.startswith("property")] == [
        "property float x", "property float y", "property float z",
        "property uchar red", "property uchar green", "property uchar blue",
    ]  # fmt: skip
    count = int(next(line for line in lines if line.startswith("element vertex")).split()[2])
    assert len(body) == 15 * count
    rows = np.frombuffer(body, np.uint8).reshape(count, 15)
    return rows[:, :12].copy().view("<f4"), rows[:, 12:]


@dataclass(frozen=True)
class Run:
    folder: Path
    process: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def mixed_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One call with a photo with EXIF, a cut-off one, a text file, a missing one, and a photo without EXIF."""
    folder = tmp_path_factory.mktemp("photos")
    write_photo(folder / "exif.jpg", exif=True)
    write_photo(folder / "bare.png", exif=False)
    (folder / "cut.jpg").write_bytes((folder / "exif.jpg").read_bytes()[:-900])
    (folder / "text.jpg").write_text("this is no picture")
    names = ("exif.jpg", "cut.jpg", "text.jpg", "missing.jpg", "bare.png")
    photos = [folder / name for name in names]
    return Run(folder, depthpro("image", *photos, "-o", folder / "out", "--model", "depth_pro_nano"))


def test_bad_photos_are_named_and_the_others_are_done(mixed_run: Run):
    assert mixed_run.process.returncode == 1
    errors = mixed_run.process.stderr
    assert "cut.jpg cannot be read" in errors and "damaged or cut off" in errors
    assert "text.jpg is in no image format" in errors
    assert "missing.jpg does not exist" in errors
    assert "3 of 5 photos failed" in errors and "[5/5]" in errors and "Traceback" not in errors
    assert sorted(p.name for p in (mixed_run.folder / "out").iterdir()) == [
        "bare.ply", "bare_colour.png", "bare_depth.npy", "bare_depth.png",
        "exif.ply", "exif_colour.png", "exif_depth.npy", "exif_depth.png",
    ]  # fmt: skip


def test_exif_focal_is_used_where_present(mixed_run: Run):
    focal = FOCAL_35MM * math.hypot(WIDTH, HEIGHT) / math.hypot(36, 24)
    assert f"focal {focal:.1f} px (exif)" in mixed_run.process.stdout
    assert "px (estimated)" in mixed_run.process.stdout
    points, _ = read_ply(mixed_run.folder / "out" / "exif.ply")
    # back-projection with this focal and a centred principal point puts every point on a pixel's centre
    u = points[:, 0] / points[:, 2] * focal + (WIDTH - 1) / 2
    assert np.abs(u - np.rint(u)).max() < 1e-2 and u.min() > -0.01 and u.max() < WIDTH - 0.99


@pytest.mark.parametrize("name", ["exif", "bare"])
def test_the_files_agree(mixed_run: Run, name: str):
    out = mixed_run.folder / "out"
    depth = np.load(out / f"{name}_depth.npy")
    assert depth.dtype == np.float32 and depth.shape == (HEIGHT, WIDTH)
    png = cv2.imread(str(out / f"{name}_depth.png"), cv2.IMREAD_UNCHANGED)
    assert png.dtype == np.uint16
    fits = np.isfinite(depth) & (depth < 65.535)
    assert np.array_equal(png > 0, fits)
    assert np.abs(png[fits] / 1000.0 - depth[fits]).max() <= 0.000501
    points, colours = read_ply(out / f"{name}.ply")
    assert f"{name}.ply ({len(points)} points)" in mixed_run.process.stdout
    # the cloud leaves out flying pixels; what is in it has a depth of the map and its pixel's colour
    assert 0 < len(points) <= np.isfinite(depth).sum() and np.isfinite(points).all()
    assert np.isin(points[:, 2], depth).all()
    colour = cv2.imread(str(out / f"{name}_colour.png"))
    assert colour.shape[0] == HEIGHT and colour.shape[1] > WIDTH
    if name == "bare":
        picture = np.array(Image.open(mixed_run.folder / "bare.png")).reshape(-1, 3)
        order = dict(zip(depth.ravel().tolist(), picture.tolist(), strict=True))
        same = [order[z] == c for z, c in zip(points[:, 2].tolist(), colours.tolist(), strict=True)]
        assert np.mean(same) > 0.99  # two pixels may have one depth


def test_orientation_given_focal_stride_and_overwriting(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write_photo(tmp_path / "turned.jpg", exif=True, orientation=6)
    call = ("image", tmp_path / "turned.jpg", "-o", tmp_path, "--model", "depth_pro_nano", "--stride", 4)
    done = depthpro_here(capsys, *call, "--focal-px", 80, "--max-depth", 1e-3)
    assert done.code == 0, done.stderr
    assert "focal 80.0 px (given)" in done.stdout
    depth = np.load(tmp_path / "turned_depth.npy")
    assert depth.shape == (WIDTH, HEIGHT), "EXIF orientation 6 turns the picture by 90 degrees"
    assert np.isposinf(depth).all() and not cv2.imread(str(tmp_path / "turned_depth.png"), -1).any()
    assert len(read_ply(tmp_path / "turned.ply")[0]) == 0

    refused = depthpro_here(capsys, *call)
    assert refused.code == 2 and "turned_depth.npy exists" in refused.stderr
    again = depthpro_here(capsys, *call, "--force")
    assert again.code == 0, again.stderr
    # every 4th pixel of every 4th row, at most
    assert 0 < len(read_ply(tmp_path / "turned.ply")[0]) <= (WIDTH // 4) * (HEIGHT // 4)


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("a/x.jpg", "b/x.png"), 2, "would both be written as x_colour.png"),
        (("x.jpg", "--focal-px", "-3"), 2, "must be a finite number above 0"),
        (("x.jpg", "--focal-px", "nan"), 2, "must be a finite number above 0"),
        (("x.jpg", "--stride", "0"), 2, "must be at least 1"),
        (("x.jpg", "--model", "nothing.pt"), 3, "nothing.pt"),
        (("x.jpg", "--device", "abacus"), 2, "abacus"),
    ],
)
def test_wrong_usage_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, text: str
):
    done = depthpro_here(capsys, "image", *arguments, "-o", tmp_path)
    assert done.code == code and text in done.stderr
