# SPDX-License-Identifier: Apache-2.0
"""`depthpro completion`: a script that completes the command in a shell."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from depthpro_ros.errors import InputError

SHELLS = ("bash", "zsh", "fish", "tcsh")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "completion",
        help="print a script that completes this command in your shell",
        description="Print a completion script. For bash: depthpro completion bash > "
        "~/.local/share/bash-completion/completions/depthpro",
    )
    parser.add_argument("shell", choices=SHELLS, help="your shell")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    try:
        import shtab
    except ImportError as error:
        raise InputError('completion needs shtab: pip install "depthpro_ros[completion]"') from error
    from depthpro_ros.cli.main import build_parser

    parser = build_parser()
    _complete_files(parser, shtab.FILE)
    print(shtab.complete(parser, shell=args.shell))
    return 0


def _complete_files(parser: argparse.ArgumentParser, file: Any) -> None:
    """Let arguments that are paths be completed by files."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                _complete_files(subparser, file)
        elif action.type is Path or action.metavar == "PATH":
            action.complete = file  # type: ignore[attr-defined]
