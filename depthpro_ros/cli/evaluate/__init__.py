# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate`: how good, how fast and how steady the depth is, on recordings and data sets.

Exit codes: 0 done; 1 a --fail-if criterion failed; 2 wrong usage; 3 data missing or unreadable; 4 nothing was
evaluated; 130 interrupted, with what was done written.
"""

from __future__ import annotations

import argparse

from depthpro_ros.cli.evaluate import bag, bags, compare, dataset, fleet, node, report


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand and its own."""
    parser = commands.add_parser(
        "evaluate",
        help="score depth on recordings and data sets, with a report",
        description="How good, how fast and how steady is the depth? Results go to a folder: report.html, report.md, "
        "summary.json and per_frame.csv.",
        epilog="Exit codes: 0 done, 1 a --fail-if criterion failed, 2 wrong usage, 3 data missing or unreadable, "
        "4 nothing was evaluated, 130 interrupted (what was done is written, --resume goes on).",
    )
    kinds = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    for kind in (bag, node, bags, dataset, fleet, compare, report):
        kind.add_parser(kinds)
