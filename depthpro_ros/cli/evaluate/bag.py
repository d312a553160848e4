# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate bag`: a recording through the pipeline, every frame, without ROS."""

from __future__ import annotations

import argparse
from pathlib import Path

from depthpro_ros.cli.arguments import (
    add_decoding_arguments,
    add_model_arguments,
    add_speed_arguments,
    command_line,
    decoding_of,
    load_options,
)
from depthpro_ros.cli.evaluate.bag_options import add_topic_arguments, opened, pose_of, topics_of
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


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "bag",
        help="replay a recording through the pipeline, every frame, without ROS",
        description="Evaluate the depth of every image of a recording: rosbag2 (MCAP or SQLite, any compression) or "
        "ROS 1. Ground truth is taken from the recording too, if there is any. No ROS is needed.",
    )
    parser.add_argument("bag", metavar="BAG", type=Path, help="rosbag2 folder, .mcap, .db3 or .bag")
    add_model_arguments(parser)
    add_speed_arguments(parser)
    add_decoding_arguments(parser)
    add_focal_arguments(parser)
    add_topic_arguments(parser)
    add_selection_arguments(parser)
    add_scoring_arguments(parser)
    add_result_arguments(parser)
    parser.add_argument(
        "--output-bag",
        action="store_true",
        help="also write DIR/bag, a rosbag2 with depth, points, errors and figures for RViz and Foxglove",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate; see `depthpro_ros.cli.evaluate` for exit codes."""
    from depthpro_ros.errors import InputError
    from depthpro_ros.evaluation.bags.output import OutputBag
    from depthpro_ros.evaluation.results.folder import ResultsFolder
    from depthpro_ros.evaluation.run.bag_source import BagSource
    from depthpro_ros.evaluation.run.describe import describe
    from depthpro_ros.evaluation.run.output import output_frame
    from depthpro_ros.evaluation.run.predictors import PipelinePredictor, model_info
    from depthpro_ros.evaluation.run.runner import evaluate
    from depthpro_ros.models import load_estimator

    if args.output_bag and args.resume:
        raise InputError("a bag cannot be gone on with: give --output-bag or --resume, not both")
    scorer, selection = scorer_of(args), selection_of(args)
    with opened(args.bag) as recording:
        choice = topics_of(args, recording)
        source = BagSource(
            recording, choice, selection, slop_s=args.slop, depth_scale=args.depth_scale, truth_pose=pose_of(args)
        )
        estimator = load_estimator(args.model, **load_options(args))
        scorer = scorer.of_model(estimator.info.metric)
        predictor = PipelinePredictor(
            estimator,
            args.focal,
            estimate=args.estimate_focal,
            rectified=choice.rectified,
            cloud=args.output_bag,
        )
        info = describe(
            "bag",
            args.bag.name,
            command_line(),
            scorer,
            model=model_info(estimator, decoding_of(args)),
            focal=args.focal,
            frames=selection.label,
            choice=choice,
            notes=[*(problem.text for problem in recording.problems), *source.notes],
        )
        folder = ResultsFolder.create(output_of(args, args.bag.stem), info, force=args.force, resume=args.resume)

        def work() -> None:
            if not args.output_bag:
                evaluate(source, predictor, scorer, folder)
                return
            with OutputBag(folder.path / "bag", replace=args.force) as bag:
                evaluate(source, predictor, scorer, folder, on_scored=lambda *both: bag.write(output_frame(*both)))

        return evaluated(args, folder, work)
