# SPDX-License-Identifier: Apache-2.0
"""Starting where no log file can be written: without one, rather than not at all."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path

WITHOUT_FILE = ["--ros-args", "--disable-external-lib-logs"]


def log_folder() -> Path:
    """Where rcl writes the log: ROS_LOG_DIR, else the folder log in ROS_HOME, which is ~/.ros where it is not set."""
    folder = os.environ.get("ROS_LOG_DIR") or str(Path(os.environ.get("ROS_HOME") or "~/.ros") / "log")
    return Path(folder).expanduser()


def with_log_folder(args: list[str] | None) -> list[str]:
    """Arguments for `rclpy.init`, which fails where it cannot make a log file; without that file it does not.

    Args:
        args: of the command line; None for the process's own.
    """
    args = list(sys.argv if args is None else args)
    folder = log_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return args
    except OSError as error:
        with contextlib.suppress(OSError):  # that may be full, too
            print(f"depth_node: no log file, since {folder} cannot be written: {error}", file=sys.stderr, flush=True)
        return args + WITHOUT_FILE
