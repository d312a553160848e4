# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate compare`: two evaluations, frame by frame."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "compare",
        help="what differs between two evaluations, frame by frame",
        description="Paired differences (second minus first) of the frames that both evaluations have, with 95 %% "
        "intervals, and a warning where they were not made alike.",
    )
    parser.add_argument("first", metavar="A", type=Path, help="folder of an evaluation")
    parser.add_argument("second", metavar="B", type=Path, help="folder of another one")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare; 0 if there were frames to compare, 4 if not."""
    from depthpro_ros.errors import DataError, InputError
    from depthpro_ros.evaluation.report import compare
    from depthpro_ros.evaluation.results.folder import ResultsFolder

    folders = [ResultsFolder(path) for path in (args.first, args.second)]
    try:
        comparison = compare(*folders)
    except InputError as error:
        raise DataError(str(error)) from error
    print(json.dumps(comparison.as_json(), indent=2) if args.json else comparison.as_markdown())
    return 0 if comparison.both else 4
