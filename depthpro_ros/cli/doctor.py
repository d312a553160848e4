# SPDX-License-Identifier: Apache-2.0
"""`depthpro doctor`: what is wrong with this machine and this ROS graph."""

from __future__ import annotations

import argparse

from depthpro_ros.cli.arguments import positive_float


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "doctor",
        help="check this machine and a running ROS graph, and say what to do",
        description="Check Python and its libraries, torch and CUDA, weights, ROS and shared memory and, with --topic, "
        "the running graph around that image topic. Exit code 0 where there is no problem, 1 where there is one.",
    )
    parser.add_argument("--topic", metavar="TOPIC", default="", help="image topic, such as /camera/image_raw")
    parser.add_argument(
        "--seconds", type=positive_float, default=5.0, help="how long to listen to the topic (default: %(default)s)"
    )
    parser.add_argument(
        "--model", default="auto", help="whose weights and memory to check, as the node's parameter (default: auto)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, print, and tell by the exit code."""
    from depthpro_ros.doctor.run import examine

    report = examine(args.model, args.topic, args.seconds)
    print(report.json() if args.json else report.text())
    return 0 if report.healthy else 1
