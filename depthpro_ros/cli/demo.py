# SPDX-License-Identifier: Apache-2.0
"""`depthpro demo`: the node on real photographs, from bag to bag, with a report."""

from __future__ import annotations

import argparse
from pathlib import Path

from depthpro_ros.cli.arguments import add_model_arguments


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "demo",
        help="replay real photographs through the ROS 2 node and report",
        description="Build a bag of real photographs, replay it through real topics into the depth node in its own "
        "process, and write the node's outputs as a bag, pictures and a table of latency and accuracy. Needs ROS 2 "
        "(rclpy) and the demo's packages: pip install depthpro-ros[demo].",
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, default=Path("out/demo"), help="folder (default: %(default)s)"
    )
    add_model_arguments(parser)
    parser.add_argument("--force", action="store_true", help="write over the results of an earlier run")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo."""
    from depthpro_ros.demo.run import run_demo

    return run_demo(args.output, model=args.model, device=args.device, precision=args.precision, force=args.force)
