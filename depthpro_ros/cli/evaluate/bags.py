# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate bags`: depth that was recorded, against a recorded ground truth; no model is needed."""

from __future__ import annotations

import argparse
from pathlib import Path

from depthpro_ros.cli.arguments import command_line
from depthpro_ros.cli.evaluate.bag_options import add_topic_arguments, opened, pose_of, topics_of
from depthpro_ros.cli.evaluate.options import (
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
        "bags",
        help="score recorded depth against recorded ground truth, without a model",
        description="Score the depth images of one recording against the ground truth of another (or of the same), "
        "paired by stamp.",
    )
    parser.add_argument("prediction", metavar="PREDICTION", type=Path, help="recording with depth images")
    parser.add_argument("truth", metavar="TRUTH", type=Path, help="recording with ground truth; may be the same")
    parser.add_argument("--depth-topic", metavar="TOPIC", help="of the predictions, where there are several")
    add_topic_arguments(parser)
    add_selection_arguments(parser)
    add_scoring_arguments(parser)
    add_result_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score; see `depthpro_ros.cli.evaluate` for exit codes."""
    from depthpro_ros.evaluation.bags.topic_info import list_topics
    from depthpro_ros.evaluation.bags.topics import choose_depth
    from depthpro_ros.evaluation.results.folder import ResultsFolder
    from depthpro_ros.evaluation.run.describe import describe
    from depthpro_ros.evaluation.run.pair_source import PairSource
    from depthpro_ros.evaluation.run.predictors import RecordedPredictor
    from depthpro_ros.evaluation.run.runner import evaluate

    scorer, selection = scorer_of(args), selection_of(args)
    with opened(args.prediction) as predictions, opened(args.truth) as truths:
        depth_topic = choose_depth(list_topics(predictions), args.depth_topic)
        choice = topics_of(args, truths)
        source = PairSource(
            predictions,
            depth_topic,
            truths,
            choice,
            selection,
            slop_s=args.slop,
            depth_scale=args.depth_scale,
            truth_pose=pose_of(args),
        )
        problems = [problem.text for recording in (predictions, truths) for problem in recording.problems]
        info = describe(
            "bags",
            f"{args.prediction.name} against {args.truth.name}",
            command_line(),
            scorer,
            model=None,
            focal="as recorded",
            frames=selection.label,
            choice=choice,
            notes=[f"predictions: {depth_topic}", *problems, *source.notes],
        )
        folder = ResultsFolder.create(output_of(args, args.prediction.stem), info, force=args.force, resume=args.resume)
        return evaluated(args, folder, lambda: evaluate(source, RecordedPredictor(), scorer, folder))
