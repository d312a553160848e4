# SPDX-License-Identifier: Apache-2.0
"""Entry point of the `depthpro` command.

Exit codes: 0 done; 1 some of the work failed (a photo of several, or the answer was no); 2 wrong usage;
3 something needed is missing or unreadable (weights, data, a library, a folder that can be written to);
4 nothing was evaluated; 130 interrupted.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from depthpro_ros import __version__
from depthpro_ros.cli import bench, completion, demo, doctor, evaluate, image, scenes, soak, train, weights
from depthpro_ros.errors import DataError, DepthProError, WeightsError

DONE, FAILED, USAGE, MISSING, INTERRUPTED = 0, 1, 2, 3, 130


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="depthpro",
        description="Metric depth from one camera with Depth Pro.",
        epilog="The ROS 2 node: ros2 launch depthpro_ros depth.launch.py",
    )
    parser.add_argument("--version", action="version", version=f"depthpro {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (image, weights, demo, evaluate, scenes, train, bench, soak, doctor, completion):
        command.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code, see the head of this file."""
    logging.basicConfig(format="depthpro: %(levelname)s: %(message)s", level=logging.WARNING)
    args = build_parser().parse_args(argv)
    try:
        return int(args.run(args))
    except (WeightsError, DataError) as error:
        return _report(error, MISSING)
    except DepthProError as error:
        return _report(error, USAGE)
    except KeyboardInterrupt:
        print("depthpro: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        # an output folder that cannot be written to, a full disk; errors of reading are DepthProErrors
        return _report(error, MISSING)


def _report(error: Exception, code: int) -> int:
    print(f"depthpro: error: {error}", file=sys.stderr)
    return code
