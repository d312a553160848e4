# SPDX-License-Identifier: Apache-2.0
"""Options that several ways to evaluate share, and how each ends."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.cli.arguments import positive_float, positive_int

if TYPE_CHECKING:
    from depthpro_ros.evaluation.alignment import AlignmentMode
    from depthpro_ros.evaluation.report import Criterion
    from depthpro_ros.evaluation.results.folder import ResultsFolder
    from depthpro_ros.evaluation.run.frames import Selection
    from depthpro_ros.evaluation.run.scoring import FrameScorer, MetricGroup

DONE, CRITERIA_FAILED, NOTHING, INTERRUPTED = 0, 1, 4, 130
ALIGNMENTS = (
    "none",
    "median_scale",
    "median_ratio",
    "weighted_median",
    "lsq_scale",
    "l1_scale",
    "affine_depth",
    "affine_disparity",
)
METRICS = ("boundary", "flicker", "profiles", "opw", "clouds", "dbe", "planes", "reprojection")
DEFAULT_METRICS: tuple[MetricGroup, ...] = ("boundary", "flicker", "profiles")
DEFAULT_ALIGNMENTS: tuple[AlignmentMode, ...] = ("none", "median_scale", "affine_disparity")
MIN_DEPTH_M, MAX_DEPTH_M = 1e-3, 80.0


def add_result_arguments(parser: argparse.ArgumentParser, *, resume: bool = True) -> None:
    """Where results go and what they decide."""
    group = parser.add_argument_group("results")
    group.add_argument(
        "-o", "--output", metavar="DIR", type=Path, help="folder for the results (default: out/evaluate/NAME)"
    )
    group.add_argument("--force", action="store_true", help="replace an earlier evaluation there")
    if resume:
        group.add_argument("--resume", action="store_true", help="go on with an evaluation that was interrupted")
    group.add_argument("--json", action="store_true", help="print summary.json instead of a table")
    group.add_argument(
        "--fail-if",
        metavar="EXPR",
        action="append",
        default=[],
        help="exit with 1 if the mean of a figure is so, such as 'abs_rel>0.12' or 'delta1@median_scale<0.9'; may be "
        "given several times",
    )


def add_selection_arguments(parser: argparse.ArgumentParser, *, times: bool = True) -> None:
    """Which frames."""
    group = parser.add_argument_group("frames")
    group.add_argument("--limit", metavar="N", type=positive_int, help="at most N frames")
    group.add_argument("--stride", metavar="N", type=positive_int, default=1, help="every N-th frame")
    if times:
        group.add_argument("--start", metavar="S", type=float, help="from S seconds after the first frame")
        group.add_argument("--end", metavar="S", type=float, help="to S seconds after the first frame")


def add_scoring_arguments(parser: argparse.ArgumentParser, *, protocol: bool = False) -> None:
    """How frames are scored.

    Args:
        protocol: a protocol may say it, so that what is not given is None.
    """
    group = parser.add_argument_group("scoring", "said by the protocol, where there is one" if protocol else None)
    group.add_argument(
        "--align",
        metavar="MODE,...",
        type=lambda text: _listed(text, ALIGNMENTS),
        default=None if protocol else DEFAULT_ALIGNMENTS,
        help=f"alignments, of {', '.join(ALIGNMENTS)}; none is the headline of metric depth, which models up to scale "
        f"do not have (default: {','.join(DEFAULT_ALIGNMENTS)}; of models up to scale median_ratio,affine_disparity)",
    )
    group.add_argument(
        "--min-depth",
        metavar="M",
        type=float,
        default=None if protocol else MIN_DEPTH_M,
        help=f"nearer ground truth does not count (default: {MIN_DEPTH_M})",
    )
    group.add_argument(
        "--max-depth",
        metavar="M",
        type=positive_float,
        default=None if protocol else MAX_DEPTH_M,
        help=f"farther ground truth does not count (default: {MAX_DEPTH_M})",
    )
    group.add_argument(
        "--crop",
        default=None if protocol else "none",
        choices=("none", "garg", "eigen_kitti", "eigen_nyu", "border8"),
        help="part of the image that counts (default: none, which is all)",
    )
    group.add_argument(
        "--metrics",
        metavar="GROUP,...",
        type=lambda text: _listed(text, METRICS),
        default=None if protocol else DEFAULT_METRICS,
        help=f"beside the scores, of {', '.join(METRICS)} (default: {','.join(DEFAULT_METRICS)}"
        f"{'; with a protocol, what it needs' if protocol else ''})",
    )
    group.add_argument(
        "--invalid-pred",
        default="penalise",
        choices=("penalise", "ignore", "error"),
        help="pixels with ground truth but without depth: a miss in every delta, nothing, or an error",
    )


def add_focal_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose focal length makes the depth."""
    parser.add_argument(
        "--focal",
        default="auto",
        choices=("auto", "camera_info", "estimated"),
        help="whose focal length makes the depth: CameraInfo's, the network's, or as the node does (default: auto)",
    )
    parser.add_argument(
        "--estimate-focal",
        action="store_true",
        help="let the network estimate the focal length also where it is known, to judge it",
    )


def scorer_of(args: argparse.Namespace) -> FrameScorer:
    """From `add_scoring_arguments`; criteria are checked here too, before any work is done."""
    criteria_of(args)
    from depthpro_ros.evaluation.masks import DepthMask
    from depthpro_ros.evaluation.run.scoring import FrameScorer

    mask = DepthMask(
        MIN_DEPTH_M if args.min_depth is None else args.min_depth,
        MAX_DEPTH_M if args.max_depth is None else args.max_depth,
        args.crop or "none",
    )
    alignments = DEFAULT_ALIGNMENTS if args.align is None else args.align
    return FrameScorer(mask, alignments, args.invalid_pred, DEFAULT_METRICS if args.metrics is None else args.metrics)


def selection_of(args: argparse.Namespace) -> Selection:
    """From `add_selection_arguments`."""
    from depthpro_ros.evaluation.run.frames import Selection

    return Selection(getattr(args, "start", None), getattr(args, "end", None), args.stride, args.limit)


def criteria_of(args: argparse.Namespace) -> list[Criterion]:
    """From --fail-if.

    Raises:
        InputError: one that is no criterion.
    """
    from depthpro_ros.evaluation.report import Criterion

    return [Criterion.parse(text) for text in args.fail_if]


def output_of(args: argparse.Namespace, name: str) -> Path:
    """Where results go."""
    return args.output if args.output is not None else Path("out") / "evaluate" / name


def evaluated(args: argparse.Namespace, folder: ResultsFolder, work: Callable[[], object]) -> int:
    """Do the work, write the report whatever happens to it, show the result, and say how it went.

    Returns:
        The exit code.
    """
    from depthpro_ros.evaluation.report import check, headline, write_report

    interrupted = False
    try:
        work()
    except KeyboardInterrupt:
        print("depthpro: interrupted; writing what was done", file=sys.stderr)
        interrupted = True
    criteria = criteria_of(args)
    results = check(criteria, folder.summary()) if criteria else ()
    summary = write_report(folder, results)
    print(json.dumps(summary.to_json(), indent=2) if args.json else headline(summary))
    for result in results:
        print(result.text, file=sys.stderr)
    print(f"report: {folder.path / 'report.html'}", file=sys.stderr)
    if interrupted:
        return INTERRUPTED
    if not summary.evaluated:
        print("depthpro: error: no frame was evaluated", file=sys.stderr)
        return NOTHING
    return CRITERIA_FAILED if any(result.failed for result in results) else DONE


def _listed(text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [name for name in names if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: use some of {', '.join(known)}")
    return tuple(dict.fromkeys(names))
