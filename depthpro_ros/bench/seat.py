# SPDX-License-Identifier: Apache-2.0
"""The measuring side of a `depthpro_ros.bench.contestant`: starts it, commands it, ends it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from depthpro_ros.bench.builders import Task
from depthpro_ros.bench.contestant import Memory, Order, Ready, Turn
from depthpro_ros.errors import DepthProError

PATIENCE_S = 10.0


class ContestantDied(DepthProError):
    """The process ended by itself; the text holds the end of its log.

    Attributes:
        name: of its seat.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class Seat:
    """A process that is alive while the context is open.

    Args:
        name: to tell it from others.
        task: what it is to measure.
        log: file for what it prints.

    """

    def __init__(self, name: str, task: Task, log: Path) -> None:
        self._name, self._task, self._log = name, task, log

    def __enter__(self) -> Seat:
        command = [sys.executable, "-m", "depthpro_ros.bench.contestant", self._task.to_json()]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def ready(self) -> Ready:
        """Wait until it is built; to be called once, before all else."""
        try:
            return Ready(**self._answer())
        except ContestantDied as error:
            return Ready(0.0, str(error))

    def turn(self, *, stages: bool = False) -> Turn:
        """Compute at least one frame.

        Args:
            stages: time its stages too, if it can tell them apart.

        Raises:
            ContestantDied: it did not survive that, out of memory for example.
        """
        raw = self._ask(Order.STAGES if stages else Order.RUN)
        return Turn(tuple(raw["seconds"]), raw["stages"])

    def memory(self) -> Memory:
        """Its peaks until now.

        Raises:
            ContestantDied: it is not there any more.
        """
        return Memory(**self._ask(Order.MEMORY))

    def _ask(self, order: Order) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{order.value}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer, or its lack, tells why
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            said = self._log.read_text(errors="replace").strip().splitlines()
            how = f"was ended by signal {-status}" if status < 0 else f"ended with exit code {status}"
            raise ContestantDied(self._name, f"it {how}: {said[-1] if said else 'it said nothing'}")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def _end(self) -> None:
        if self._process.poll() is None:
            try:
                self._process.communicate(f"{Order.END.value}\n", timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
