# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate report`: write the report again, from the records of an evaluation."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "report",
        help="write the report again from an evaluation's records",
        description="Write report.html, report.md, summary.json and per_frame.csv again, with the criteria given here.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of an evaluation")
    parser.add_argument("--json", action="store_true", help="print summary.json instead of a table")
    parser.add_argument("--fail-if", metavar="EXPR", action="append", default=[], help="such as 'abs_rel>0.12'")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the report; see `depthpro_ros.cli.evaluate` for exit codes."""
    from depthpro_ros.cli.evaluate.options import criteria_of, evaluated
    from depthpro_ros.errors import DataError, InputError
    from depthpro_ros.evaluation.results.folder import ResultsFolder

    criteria_of(args)
    folder = ResultsFolder(args.folder)
    try:
        folder.run()
    except InputError as error:
        raise DataError(str(error)) from error
    return evaluated(args, folder, lambda: None)
