# SPDX-License-Identifier: Apache-2.0
"""The depth node in a process of its own, ended by us and nobody else's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from depthpro_ros.errors import DepthProError

NODE_COMMAND = (sys.executable, "-m", "depthpro_ros.node.depth_node")
_PATIENCE_S = 10.0
_TAIL_LINES = 25


class NodeDied(DepthProError):
    """The node ended by itself; the text holds the end of its log."""


class NodeProcess:
    """`depth_node`, running while the context is open.

    Args:
        log: file that its output goes to.
        image_topic: where it is to get images.
        parameters: ROS parameters.
        command: what to start, before the ROS arguments.
        apart: in a session of its own, so that a terminal's Ctrl-C does not reach it.
    """

    def __init__(
        self,
        log: Path,
        image_topic: str,
        parameters: Mapping[str, str | float | bool],
        command: Sequence[str] = NODE_COMMAND,
        *,
        apart: bool = False,
    ) -> None:
        self._log_path, self._apart = log, apart
        self._command = [*command, "--ros-args", "-r", f"image:={image_topic}"]
        for name, value in parameters.items():
            self._command += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]

    def __enter__(self) -> NodeProcess:
        self._log = self._log_path.open("wb")
        self._process = subprocess.Popen(
            self._command,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=self._apart,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[float, int]:
        """Tell it to end, and wait for that; how long it took, seconds, and its exit status.

        Raises:
            NodeDied: it does not end.
        """
        started = time.monotonic()
        self._process.send_signal(number)
        try:
            status = self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            raise NodeDied(
                f"the node did not end within {_PATIENCE_S:.0f} s; the end of {self._log_path}:\n{self.log_tail()}"
            ) from error
        return time.monotonic() - started, status

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """Raise `NodeDied` if the node has ended."""
        status = self._process.poll()
        if status is not None:
            how = f"was ended by signal {-status}" if status < 0 else f"ended with exit code {status}"
            raise NodeDied(f"the node {how}; the end of {self._log_path}:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The last lines of its output."""
        return "\n".join(self._log_path.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
