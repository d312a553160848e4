# SPDX-License-Identifier: Apache-2.0
"""`depthpro scenes`: procedural scenes as a page of pictures or as a bag with ground truth."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "scenes",
        help="render procedural scenes with exact depth, as a page or a bag",
        description="Render procedural scenes with exact depth: a page of samples, or a rosbag2 (MCAP) of a camera "
        "that moves through one scene, with image, camera_info, depth ground truth and tf.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--page", metavar="PNG", type=Path, help="write a page of scenes, each above its depth")
    what.add_argument("--bag", metavar="DIR", type=Path, help="write a bag (needs: pip install depthpro-ros[demo])")
    parser.add_argument("--seed", type=int, default=0, help="(first) scene seed (default: %(default)s)")
    parser.add_argument("--count", type=int, default=24, help="page: number of scenes (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="bag: duration (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=10.0, help="bag: frames per second (default: %(default)s)")
    parser.add_argument("--width", type=int, help="image width in pixels (default: page 320, bag 640)")
    parser.add_argument("--height", type=int, default=480, help="bag: image height in pixels (default: %(default)s)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the page or the bag."""
    if args.page is not None:
        from depthpro_ros.scenes.page import write_page

        write_page(args.page, first_seed=args.seed, count=args.count, width=320 if args.width is None else args.width)
        print(args.page)
        return 0
    from depthpro_ros.scenes.bag import BagOptions, write_bag

    width = 640 if args.width is None else args.width
    write_bag(args.bag, args.seed, BagOptions(args.seconds, args.rate, width, args.height))
    print(args.bag)
    return 0
