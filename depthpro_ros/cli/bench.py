# SPDX-License-Identifier: Apache-2.0
"""`depthpro bench`: speed and memory on this machine, beside its physical limit and beside transformers."""

from __future__ import annotations

import argparse
from pathlib import Path

from depthpro_ros.bench.document import RESULTS
from depthpro_ros.bench.parts import PARTS, chosen
from depthpro_ros.cli.arguments import command_line, positive_float, repository


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "bench",
        help="measure speed and memory on this machine",
        description="Measure this machine's floor and what the package needs beside it: tables here, and figures in "
        "DIR/<device>.json. In a checkout docs/performance.md is made anew from all such files.",
        epilog="Parts: " + "; ".join(f"{part.name} ({part.help})" for part in PARTS) + ".",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="what to measure (default: everything)")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, default=RESULTS, help="folder of results (default: %(default)s)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, ... (default: %(default)s)")
    parser.add_argument(
        "--minutes",
        type=positive_float,
        default=5.0,
        help="about how long to measure; without a GPU the full network alone may take longer (default: %(default)s)",
    )
    parser.add_argument(
        "--weights", metavar="FILE", type=Path, help="Apple's weights, else the full network has random ones"
    )
    parser.add_argument("--docs", action="store_true", help="measure nothing, only make docs/performance.md anew")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the parts."""
    from depthpro_ros.bench.document import write_document
    from depthpro_ros.bench.run import run_parts

    if args.docs:
        print(write_document(repository()))
        return 0
    failed = run_parts(
        chosen(args.parts),
        args.output,
        command=command_line(),
        device=args.device,
        minutes=args.minutes,
        weights=args.weights,
        say=lambda line: print(line, flush=True),
    )
    return 1 if failed else 0
