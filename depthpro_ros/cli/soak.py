# SPDX-License-Identifier: Apache-2.0
"""`depthpro soak`: the real node under a mixed load for a long time."""

from __future__ import annotations

import argparse
import datetime
import signal
from pathlib import Path

from depthpro_ros.cli.arguments import command_line, positive_float, repository

OUTPUT = Path("out/soak")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "soak",
        help="run the node under a mixed load, and look for what grows or gets lost",
        description="Run the node in a process of its own while images of changing rates and sizes, subscribers, "
        "parameters and lifecycle transitions come and go. Afterwards memory, threads, files and latency must be what "
        "they were, and every image accounted for: 1 is returned if not. Ctrl-C ends it early with what there is.",
    )
    parser.add_argument("--minutes", type=positive_float, default=30.0, help="how long (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=0, help="of the load (default: %(default)s)")
    parser.add_argument(
        "--model", default="depth_pro_nano", help="the node's parameter of this name (default: %(default)s)"
    )
    parser.add_argument(
        "--transport",
        choices=("both", "raw", "compressed"),
        default="both",
        help="of the images; both take turns, two thirds and one third of the time (default: %(default)s)",
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, default=OUTPUT, help="folder of results (default: %(default)s)"
    )
    parser.add_argument("--docs", action="store_true", help="run nothing, only make docs/soak.md of DIR/soak.json")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Soak the node."""
    from depthpro_ros.bench.ros_peer import no_ros
    from depthpro_ros.errors import InputError
    from depthpro_ros.soak.document import write_document, write_results
    from depthpro_ros.soak.plan import INTERRUPTED, Plan, failed
    from depthpro_ros.soak.run import soak

    if args.docs:
        print(write_document(args.output, repository()))
        return 0
    if reason := no_ros():
        raise InputError(f"a soak needs the node: {reason}")
    transports = ("raw", "compressed") if args.transport == "both" else (args.transport,)
    plan = Plan(60 * args.minutes, args.seed, args.model, transports)
    args.output.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: else the node would be left running
    date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    legs = soak(plan, args.output, lambda line: print(line, flush=True))
    write_results(args.output, plan, legs, command_line(), date)
    for leg in legs:
        print(f"\n{leg.transport} images, {leg.phases} phases")
        for check in leg.checks:
            print(check.text)
    print(f"\n{args.output}")
    if any(leg.ended == INTERRUPTED for leg in legs):
        raise KeyboardInterrupt
    return 1 if failed(legs) else 0
