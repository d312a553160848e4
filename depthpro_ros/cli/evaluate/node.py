# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate node`: a recording through the running node, with what only the live system shows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from depthpro_ros.cli.arguments import add_model_arguments, command_line, positive_float
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

NODE_MAX_DEPTH_M = 1000.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "node",
        help="replay a recording into the real node: latency, drops, CPU and memory as well",
        description="Start the depth node in a process of its own and replay a recording into it, in real time (frames "
        "that come too fast are dropped, as on a robot) or in lock-step (each frame waits for the last answer). Needs "
        "ROS 2 (rclpy).",
    )
    parser.add_argument("bag", metavar="BAG", type=Path, help="rosbag2 folder, .mcap, .db3 or .bag")
    parser.add_argument("--lock-step", action="store_true", help="send a frame when the last one was answered")
    parser.add_argument(
        "--rate", type=positive_float, default=1.0, help="speed of the replay in real time (default: 1)"
    )
    parser.add_argument(
        "--focal", default="auto", choices=("auto", "camera_info", "estimated"), help="the node's focal_policy"
    )
    parser.add_argument(
        "-p",
        "--param",
        metavar="NAME:=VALUE",
        action="append",
        default=[],
        type=_parameter,
        help="another parameter of the node; may be given several times",
    )
    add_model_arguments(parser)
    add_topic_arguments(parser)
    add_selection_arguments(parser)
    add_scoring_arguments(parser)
    add_result_arguments(parser, resume=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate; see `depthpro_ros.cli.evaluate` for exit codes."""
    from depthpro_ros.errors import InputError

    try:
        from depthpro_ros.node.live_evaluation import LiveFrame, evaluate_live
    except ImportError as error:
        raise InputError(
            f"this needs ROS 2 ({error}): source /opt/ros/<distro>/setup.bash, or pip install depthpro-ros[ros]"
        ) from error
    from depthpro_ros.evaluation.results.folder import ResultsFolder
    from depthpro_ros.evaluation.results.run_info import ModelInfo
    from depthpro_ros.evaluation.run.bag_source import BagSource
    from depthpro_ros.evaluation.run.describe import describe
    from depthpro_ros.evaluation.run.live_scoring import Answered, LiveScoring
    from depthpro_ros.evaluation.run.predictors import weights_sha256
    from depthpro_ros.evaluation.run.progress import Progress
    from depthpro_ros.models.registry import find_model

    scorer, selection = scorer_of(args), selection_of(args)
    parameters = {
        "model": args.model,
        "device": args.device,
        "precision": args.precision,
        "focal_policy": args.focal,
        # as offline: farther ground truth does not count, farther depth is not cut off
        "max_depth_m": str(NODE_MAX_DEPTH_M),
    }
    name, weights, notice = find_model(args.model)
    if notice:
        print(f"depthpro: warning: {notice}", file=sys.stderr)
    with opened(args.bag) as recording:
        choice = topics_of(args, recording)
        parameters["input_rectified"] = str(choice.rectified).lower()
        source = BagSource(
            recording, choice, selection, slop_s=args.slop, depth_scale=args.depth_scale, truth_pose=pose_of(args)
        )
        info = describe(
            "node",
            args.bag.name,
            command_line(),
            scorer,
            model=ModelInfo(name, weights_sha256(weights), device=args.device, precision=args.precision),
            focal=args.focal,
            frames=selection.label,
            choice=choice,
            notes=[*(problem.text for problem in recording.problems), *source.notes],
            extra={"replay": "lock-step" if args.lock_step else f"real time x {args.rate:g}", **dict(args.param)},
        )
        folder = ResultsFolder.create(output_of(args, args.bag.stem), info, force=args.force)

        def work() -> None:
            print("starting the node", file=sys.stderr)
            with Progress(source.total) as progress:
                scoring = LiveScoring(source, scorer, folder, progress)

                def take(frame: LiveFrame) -> None:
                    scoring.take(
                        Answered(
                            frame.stamp_ns, frame.latency_ms, frame.depth_m, frame.intrinsics, frame.focal_estimated_px
                        )
                    )

                evaluate_live(
                    args.bag,
                    image_topic=choice.image,
                    camera_info_topic=choice.camera_info,
                    selection=selection,
                    mode="lock_step" if args.lock_step else "real_time",
                    rate=args.rate,
                    parameters=parameters | dict(args.param),
                    log=folder.path / "node.log",
                    on_frame=take,
                    on_summary=folder.set_live,
                )

        return evaluated(args, folder, work)


def _parameter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition(":=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text} must be NAME:=VALUE")
    return name, value
