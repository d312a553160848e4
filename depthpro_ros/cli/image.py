# SPDX-License-Identifier: Apache-2.0
"""`depthpro image`: depth of photographs, as files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.cli.arguments import (
    add_model_arguments,
    add_speed_arguments,
    load_options,
    positive_float,
    positive_int,
)
from depthpro_ros.errors import DepthProError, InputError

if TYPE_CHECKING:
    from depthpro_ros.still import StillFiles, StillSummary


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "image",
        help="depth of photographs: .npy, PNG, coloured PNG and PLY cloud",
        description="Estimate the depth of photographs. For each photo NAME.jpg this writes NAME_depth.npy (float32 "
        "metres, +Inf beyond the range), NAME_depth.png (16-bit millimetres, 0 where there is no depth), "
        "NAME_colour.png (with a legend) and NAME.ply (coloured points, without flying pixels at edges).",
        epilog="Exit code 1 if any photo could not be read; the others are done all the same.",
    )
    parser.add_argument("photos", metavar="PHOTO", nargs="+", type=Path)
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, default=Path(), help="folder for the results (default: this one)"
    )
    add_model_arguments(parser)
    add_speed_arguments(parser)
    parser.add_argument(
        "--focal-px",
        metavar="F",
        type=positive_float,
        help="focal length in pixels; without it EXIF's 35 mm equivalent is used, else the network's estimate",
    )
    parser.add_argument(
        "--max-depth",
        metavar="M",
        type=positive_float,
        default=80.0,
        help="farther than this many metres is no depth (default: %(default)s)",
    )
    parser.add_argument(
        "--stride", metavar="N", type=positive_int, default=1, help="every N-th pixel of every N-th row is a point"
    )
    parser.add_argument("--force", action="store_true", help="write over existing results")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do all photos; 0 if all went well, 1 if any could not be read."""
    targets = _targets(args.photos, args.output, args.force)

    from depthpro_ros.models import load_estimator
    from depthpro_ros.photo import read_photo
    from depthpro_ros.still import depth_of_still, save_still

    args.output.mkdir(parents=True, exist_ok=True)
    estimator = load_estimator(args.model, **load_options(args))
    info = estimator.info
    print(f"model {info.name}, {info.parameters / 1e6:.1f} M weights, {info.device}, {info.precision}")
    if info.approximations:
        print(f"approximate depth: {'; '.join(info.approximations)}")
    failed = 0
    for number, (path, files) in enumerate(targets, 1):
        if len(targets) > 1:
            print(f"[{number}/{len(targets)}] {path}", file=sys.stderr, flush=True)
        try:
            frame, origin = depth_of_still(
                estimator,
                read_photo(path),
                focal_px=args.focal_px,
                max_depth_m=args.max_depth,
                stride=args.stride,
            )
        except DepthProError as error:
            print(f"depthpro: error: {error}", file=sys.stderr)
            failed += 1
            continue
        print(_describe(path, save_still(frame, origin, files), files), flush=True)
    if failed:
        print(f"depthpro: {failed} of {len(targets)} photos failed", file=sys.stderr)
    return 1 if failed else 0


def _targets(photos: list[Path], folder: Path, force: bool) -> list[tuple[Path, StillFiles]]:
    """Where each photo's results go, before any work is done.

    Raises:
        InputError: two photos of one name, or results that exist.
    """
    from depthpro_ros.still import StillFiles

    owners: dict[str, Path] = {}
    targets = []
    for photo in photos:
        if photo.stem in owners:
            raise InputError(
                f"{owners[photo.stem]} and {photo} would both be written as {photo.stem}_depth.png: "
                "do them in two calls with different --output folders"
            )
        owners[photo.stem] = photo
        files = StillFiles.beside(folder, photo.stem)
        existing = [file for file in files.all() if file.exists()]
        if existing and not force:
            raise InputError(f"{existing[0]} exists: choose another --output folder, or --force to write over it")
        targets.append((photo, files))
    return targets


def _describe(path: Path, summary: StillSummary, files: StillFiles) -> str:
    s = summary
    return "\n".join(
        (
            f"{path}: {s.width}x{s.height}, {s.model_ms:.0f} ms",
            f"  focal {s.focal_px:.1f} px ({s.focal_origin}), field of view {s.fov_deg:.1f} deg",
            f"  depth min {s.min_m:.2f}  median {s.median_m:.2f}  max {s.max_m:.2f} m, {100 * s.finite:.1f} % finite",
            f"  {files.depth_npy}, {files.depth_png.name}, {files.colour_png.name}, "
            f"{files.cloud_ply.name} ({s.points} points)",
        )
    )
