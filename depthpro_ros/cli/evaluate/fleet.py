# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate fleet`: all recordings of a folder, spread over a Ray cluster or this machine's cores."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.cli.arguments import (
    add_decoding_arguments,
    add_model_arguments,
    add_speed_arguments,
    command_line,
    decoding_of,
    load_options,
    positive_int,
)
from depthpro_ros.cli.evaluate.bag_options import add_topic_arguments, pose_of, wanted_of
from depthpro_ros.cli.evaluate.options import (
    add_focal_arguments,
    add_result_arguments,
    add_scoring_arguments,
    add_selection_arguments,
    evaluated,
    output_of,
    scorer_of,
    selection_of,
)

if TYPE_CHECKING:
    from depthpro_ros.evaluation.fleet.pool import Pool
    from depthpro_ros.evaluation.fleet.work import Job


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "fleet",
        help="all recordings of a folder, spread over a Ray cluster or all cores",
        description="Evaluate every recording in a folder and those below it as `evaluate bag` does, in units of some "
        "hundred frames that workers share, and merge the results; intervals are over recordings. Workers that die are "
        "replaced, and --resume does only what is not done. Recordings must be readable at the same path on all "
        "machines.",
        epilog="Topic and frame options apply to each recording. An estimated focal length is held steady within a "
        "unit and found anew at the beginning of each, whoever does it; with --focal camera_info, or where recordings "
        "have a CameraInfo, it makes no difference where they are cut.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder with recordings, at any depth")
    group = parser.add_argument_group("workers")
    where = group.add_mutually_exclusive_group()
    where.add_argument(
        "--ray", metavar="ADDRESS", help="Ray cluster, such as auto or HOST:6379 (default: this machine, all cores)"
    )
    where.add_argument("--no-ray", action="store_true", help="one process, without Ray, to the same result")
    group.add_argument(
        "--jobs",
        metavar="N",
        type=positive_int,
        help="at most N workers, each with a model (default: one for each GPU, without GPUs one for each core)",
    )
    group.add_argument(
        "--shard-frames",
        metavar="N",
        type=positive_int,
        default=500,
        help="cut recordings into units of N frames (default: %(default)s)",
    )
    add_model_arguments(parser)
    add_speed_arguments(parser)
    add_decoding_arguments(parser)
    add_focal_arguments(parser)
    add_topic_arguments(parser)
    add_selection_arguments(parser)
    add_scoring_arguments(parser)
    add_result_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate; see `depthpro_ros.cli.evaluate` for exit codes."""
    from contextlib import closing
    from functools import partial

    from depthpro_ros.evaluation.fleet.evaluate import FleetEvaluation, Order
    from depthpro_ros.evaluation.fleet.find import find_bags
    from depthpro_ros.evaluation.fleet.work import Job
    from depthpro_ros.models import load_estimator

    root = args.folder.resolve()
    job = Job(
        root,
        partial(load_estimator, args.model, **load_options(args)),
        scorer_of(args),
        args.focal,
        args.estimate_focal,
        wanted_of(args),
        args.preset,
        selection_of(args),
        args.slop,
        args.depth_scale,
        pose_of(args),
        decoding_of(args),
    )
    order = Order(
        find_bags(root), output_of(args, root.name), command_line(), args.shard_frames, args.force, args.resume
    )
    with closing(_pool(args, job)) as pool:
        evaluation = FleetEvaluation(order, job, pool)
        return evaluated(args, evaluation.folder, evaluation.work)


def _pool(args: argparse.Namespace, job: Job) -> Pool:
    from depthpro_ros.evaluation.fleet.pool import SingleProcess, workers_here
    from depthpro_ros.evaluation.fleet.work import Worker

    here = workers_here(args.device)
    if args.no_ray or (args.ray is None and (here if args.jobs is None else min(here, args.jobs)) == 1):
        return SingleProcess(Worker(job))
    from depthpro_ros.evaluation.fleet.ray_pool import RayPool

    return RayPool(job, args.ray, device=args.device, jobs=args.jobs)
