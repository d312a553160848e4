# SPDX-License-Identifier: Apache-2.0
"""`depthpro weights`: where Apple's weights are, what their licence says, fetching and checking them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.errors import InputError, WeightsError

if TYPE_CHECKING:
    from depthpro_ros.models.verify import WeightsReport

LICENCE = """\
Licence of Apple's weights: unresolved, so read it and decide for yourself.
  - github.com/apple/ml-depth-pro puts code and weights under Apple's sample-code licence (LICENSE there).
  - The Hugging Face pages apple/DepthPro and apple/DepthPro-hf say apple-amlr: research purposes only.
  - Apple has not answered which holds (GitHub issue 66 of ml-depth-pro, Hugging Face discussion 13 of DepthPro).
depthpro_ros ships no Apple weights and fetches none unless you say so."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "weights",
        help="find, fetch and check Apple's weights, and see their licence",
        description="Without options: show where Apple's weights are looked for, whether they are there, and their "
        "licence. Nothing is fetched without --fetch and your consent.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--fetch", action="store_true", help="download from Hugging Face (1.9 GB; continues after a break)"
    )
    what.add_argument(
        "--verify",
        metavar="PATH",
        nargs="?",
        const="",
        help="check a file or folder, and show its SHA-256; without PATH the weights that were found",
    )
    parser.add_argument(
        "--repo",
        choices=("apple/DepthPro", "apple/DepthPro-hf"),
        default="apple/DepthPro",
        help="what to fetch: depth_pro.pt, or the transformers folder; same weights (default: %(default)s)",
    )
    parser.add_argument(
        "--accept-licence", "--accept-license", action="store_true", help="you have read the licence and accept it"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show, fetch or verify."""
    if args.verify is not None:
        return _verify(args.verify)
    if args.fetch:
        return _fetch(args.repo, args.accept_licence)
    if args.accept_licence:
        raise InputError("--accept-licence goes with --fetch: depthpro weights --fetch --accept-licence")
    return _show()


def _show() -> int:
    from depthpro_ros.models.registry import NANO_WEIGHTS, WEIGHTS_VARIABLE, find_apple_weights, weights_home
    from depthpro_ros.models.verify import file_size

    found = find_apple_weights()
    print("Apple's Depth Pro weights are looked for in this order:")
    print(f"  1. the path in ${WEIGHTS_VARIABLE}")
    print(f"  2. {weights_home() / 'depth_pro.pt'}")
    print(f"  3. {weights_home() / 'DepthPro-hf'}")
    if found is None:
        print("Found: none. 'auto' uses the bundled depth_pro_nano, which knows only rendered scenes.")
        print(f"  ({NANO_WEIGHTS}, {file_size(NANO_WEIGHTS) / 1e6:.1f} MB)")
    else:
        print(f"Found: {found} ({file_size(found) / 1e6:.1f} MB)")
        print("  check it: depthpro weights --verify")
    print(f"\n{LICENCE}")
    if found is None:
        print("\nTo fetch them (1.9 GB): depthpro weights --fetch")
    return 0


def _verify(named: str) -> int:
    from depthpro_ros.models.registry import find_apple_weights
    from depthpro_ros.models.verify import verify

    path = Path(named).expanduser() if named else find_apple_weights()
    if path is None:
        raise WeightsError("no Apple weights were found to verify: name a file, or see 'depthpro weights'")
    _print_report(verify(path))
    return 0


def _fetch(repo: str, accepted: bool) -> int:
    from depthpro_ros.models.fetch import fetch, fetched_path
    from depthpro_ros.models.verify import verify

    target = fetched_path(repo)
    if target.exists():
        print(f"{target} is there already; checking it", file=sys.stderr)
        _print_report(verify(target))
        return 0
    if not accepted and not _consent(repo):
        print("depthpro: nothing was fetched", file=sys.stderr)
        return 1
    print(f"fetching {repo} to {target}", file=sys.stderr)
    _print_report(fetch(repo))
    print("'auto' and 'depth_pro' now use these weights")
    return 0


def _consent(repo: str) -> bool:
    """Ask a person. Raises InputError where there is none to ask."""
    print(LICENCE, file=sys.stderr)
    if not sys.stdin.isatty():
        raise InputError(
            f"{repo} is fetched only with your consent: read the licence, then add --accept-licence "
            "(nothing was fetched)"
        )
    print(f"Fetch 1.9 GB from huggingface.co/{repo} under these terms? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _print_report(report: WeightsReport) -> None:
    print(f"{report.path}: good")
    print(f"  layout      {report.layout}")
    print(f"  parameters  {report.parameters:,} ({report.dtype}), input {report.input_px}x{report.input_px}")
    for file, digest in report.sha256:
        print(f"  SHA-256     {digest}  {file.name} ({file.stat().st_size:,} bytes)")
