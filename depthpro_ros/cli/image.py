# SPDX-License-Identifier: Apache-2.0
"""`depthpro image`: depth of photographs, as files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depthpro_ros.cli.arguments import (
    add_decoding_arguments,
    add_model_arguments,
    add_speed_arguments,
    load_options,
    positive_float,
    positive_int,
)
from depthpro_ros.errors import DepthProError, InputError

if TYPE_CHECKING:
    from depthpro_ros.models import Estimator
    from depthpro_ros.photo import Photo
    from depthpro_ros.still import StillFiles, StillSummary
    from depthpro_ros.still_relative import RelativeFiles, RelativeSummary


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "image",
        help="depth of photographs: .npy, PNG, coloured PNG and PLY cloud",
        description="Estimate the depth of photographs. For each photo NAME.jpg this writes NAME_depth.npy (float32 "
        "metres, +Inf beyond the range), NAME_depth.png (16-bit millimetres, 0 where there is no depth), "
        "NAME_colour.png (with a legend) and NAME.ply (coloured points, without flying pixels at edges). Of a model "
        "whose depth is up to scale, such as depthart_ar, it writes NAME_relative.npy (float32 without a unit) and "
        "NAME_colour.png, and nothing in metres unless you give --scale.",
        epilog="Exit code 1 if any photo could not be read; the others are done all the same.",
    )
    parser.add_argument("photos", metavar="PHOTO", nargs="+", type=Path)
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, default=Path(), help="folder for the results (default: this one)"
    )
    add_model_arguments(parser)
    add_speed_arguments(parser)
    add_decoding_arguments(parser)
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
    parser.add_argument(
        "--scale",
        metavar="M",
        type=positive_float,
        help="models up to scale: take M metres for the depth that 98 %% of each photo are nearer than; also writes "
        "NAME_assumed_depth.npy, NAME_assumed_depth.png and, with a focal length, NAME_assumed.ply",
    )
    parser.add_argument(
        "--refinement",
        action="store_true",
        help="autoregressive models: also write NAME_refinement.png, the photo and its depth after every scale",
    )
    parser.add_argument("--force", action="store_true", help="write over existing results")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do all photos; 0 if all went well, 1 if any could not be read."""
    _check_names(args.photos)

    from depthpro_ros.models import load_estimator
    from depthpro_ros.photo import read_photo

    estimator = load_estimator(args.model, **load_options(args))
    _check_wishes(args, estimator)
    targets = [(photo, _files(args, estimator, photo)) for photo in args.photos]
    args.output.mkdir(parents=True, exist_ok=True)
    info = estimator.info
    print(f"model {info.name}, {info.parameters / 1e6:.1f} M weights, {info.device}, {info.precision}")
    if info.approximations:
        print(f"approximate depth: {'; '.join(info.approximations)}")
    if not info.metric:
        print("depth is up to scale: 1 is the 98th percentile of each photo, and nobody knows how many metres that is")
    failed = 0
    for number, (path, files) in enumerate(targets, 1):
        if len(targets) > 1:
            print(f"[{number}/{len(targets)}] {path}", file=sys.stderr, flush=True)
        try:
            print(_done(args, estimator, path, read_photo(path), files), flush=True)
        except DepthProError as error:
            print(f"depthpro: error: {error}", file=sys.stderr)
            failed += 1
    if failed:
        print(f"depthpro: {failed} of {len(targets)} photos failed", file=sys.stderr)
    return 1 if failed else 0


def _check_names(photos: list[Path]) -> None:
    """Before any work is done.

    Raises:
        InputError: two photos of one name.
    """
    owners: dict[str, Path] = {}
    for photo in photos:
        if photo.stem in owners:
            raise InputError(
                f"{owners[photo.stem]} and {photo} would both be written as {photo.stem}_colour.png: "
                "do them in two calls with different --output folders"
            )
        owners[photo.stem] = photo


def _check_wishes(args: argparse.Namespace, estimator: Estimator) -> None:
    """Before any photo is read.

    Raises:
        InputError: the model cannot do what is asked.
    """
    name = estimator.info.name
    if args.scale is not None and estimator.info.metric:
        raise InputError(f"--scale {args.scale:g}: the depth of {name} is in metres already, leave it out")
    if args.refinement and not hasattr(estimator, "refinement"):
        raise InputError(
            f"--refinement: {name} makes depth at once, not scale by scale; choose an autoregressive model, such as "
            "--model depthart_ar, or leave it out"
        )
    if args.refinement and args.decoding == "spread":
        raise InputError("--refinement: the scales of several drawings belong to none; leave --decoding spread out")


def _files(args: argparse.Namespace, estimator: Estimator, photo: Path) -> StillFiles | RelativeFiles:
    """Where a photo's results go.

    Raises:
        InputError: they exist.
    """
    from depthpro_ros.still import StillFiles
    from depthpro_ros.still_relative import RelativeFiles

    files: StillFiles | RelativeFiles
    if estimator.info.metric:
        files = StillFiles.beside(args.output, photo.stem)
    else:
        files = RelativeFiles.beside(
            args.output, photo.stem, refinement=args.refinement, assumed=args.scale is not None
        )
    existing = [file for file in files.all() if file.exists()]
    if existing and not args.force:
        raise InputError(f"{existing[0]} exists: choose another --output folder, or --force to write over it")
    return files


def _done(
    args: argparse.Namespace, estimator: Estimator, path: Path, photo: Photo, files: StillFiles | RelativeFiles
) -> str:
    """Estimate, write, and say what was written."""
    from depthpro_ros.still import StillFiles, depth_of_still, save_still
    from depthpro_ros.still_relative import refinement_picture, save_relative
    from depthpro_ros.visualise import png_bytes

    frame, origin = depth_of_still(
        estimator,
        photo,
        focal_px=args.focal_px,
        max_depth_m=args.max_depth,
        stride=args.stride,
        assumed_d98_m=args.scale,
    )
    if isinstance(files, StillFiles):
        return _describe(path, save_still(frame, origin, files), files)
    summary = save_relative(frame, origin, files)
    if files.refinement_png is not None:
        refining: Any = estimator
        depths = refining.refinement(photo.rgb).float().cpu().numpy()
        picture = refinement_picture(photo.rgb, depths, getattr(refining, "scales", None))
        files.refinement_png.write_bytes(png_bytes(picture))
    return _describe_relative(path, summary, files, args.scale)


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


def _describe_relative(path: Path, summary: RelativeSummary, files: RelativeFiles, scale_m: float | None) -> str:
    s = summary
    refinement = "" if files.refinement_png is None else f", {files.refinement_png.name}"
    lines = [
        f"{path}: {s.width}x{s.height}, {s.model_ms:.0f} ms",
        f"  relative depth, up to scale: min {s.least:.3f}  median {s.median:.3f}  max {s.greatest:.3f}, "
        f"{100 * s.known:.1f} % known",
        f"  {files.relative_npy}, {files.colour_png.name}{refinement}",
    ]
    if files.assumed is not None and s.assumed_m is not None:
        least, median, greatest = s.assumed_m
        points = "no points, since no focal length is known: give --focal-px"
        if s.points is not None:
            points = f"{files.assumed.cloud_ply.name} ({s.points} points, focal {s.focal_px:.1f} px {s.focal_origin})"
        lines += [
            f"  assumed, not measured: 98 % of the photo nearer than {scale_m:g} m; then min {least:.2f}  median "
            f"{median:.2f}  max {greatest:.2f} m",
            f"  {files.assumed.depth_npy.name}, {files.assumed.depth_png.name}, {points}",
        ]
    return "\n".join(lines)
