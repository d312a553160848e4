# SPDX-License-Identifier: Apache-2.0
"""A writer and a reader in two processes, with a network of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from depthpro_ros.bench.transport_load import Load
from depthpro_ros.errors import DepthProError
from depthpro_ros.fast_dds import PROFILE_VARIABLES
from depthpro_ros.node.network import fast_dds_environment, local_domain

END_S = 10.0
LATE_S = 3.0
"""When nothing has arrived for so long, what is missing is lost."""
_TAIL_LINES = 15


class PeerDied(DepthProError):
    """A process of the pair has ended by itself; the text holds the end of its log."""


@dataclass(frozen=True)
class Way:
    """How messages go from one process to another.

    Attributes:
        name: for tables.
        profile: with `profile_variables`, else with Fast DDS's defaults.
        direct: published from serialised memory, as the node does; else with rclpy's publish().
        reader_keeps: the reader's process keeps the memory of messages, as the node does.
        taken_directly: the reader takes serialised messages, as the node does with images.
    """

    name: str
    profile: bool = True
    direct: bool = False
    reader_keeps: bool = False
    taken_directly: bool = False


class Peer:
    """One process of `depthpro_ros.bench.transport_peer`.

    Args:
        role: "writer" or "reader".
        keep_memory: it keeps the memory of messages.
        environment: of the process.
        log: file for what it says.
    """

    def __init__(self, role: str, keep_memory: bool, environment: Mapping[str, str], log: Path) -> None:
        self._role, self._log = role, log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "depthpro_ros.bench.transport_peer", role, *(["keep"] if keep_memory else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=dict(environment),
                text=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def answer(self) -> Any:
        """What it answers to the earliest command that was sent and not answered yet; also once when it is ready.

        Raises:
            PeerDied: it has ended.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait(END_S)
            said = "\n".join(self._log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
            raise PeerDied(f"the {self._role} ended with exit code {status}; it said last:\n{said}")
        return json.loads(line)

    def send(self, command: str, **arguments: Any) -> None:
        """Command something and do not wait."""
        if isinstance(arguments.get("load"), Load):
            arguments["load"] = astuple(arguments["load"])
        assert self._process.stdin is not None
        try:
            print(json.dumps([command, arguments]), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            self.answer()  # says why

    def ask(self, command: str, **arguments: Any) -> Any:
        """Command something; the answer."""
        self.send(command, **arguments)
        return self.answer()

    def close(self) -> None:
        """Let it end; its shared memory goes with it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@dataclass(frozen=True)
class Burst:
    """Some messages of one load.

    Attributes:
        published: how long publishing took, seconds, for each that was sent.
        arrived: from publication to the callback, seconds, for each that came.
        taken: how long a polling reader took to take each, seconds.
    """

    published: list[float]
    arrived: list[float]
    taken: list[float]

    @classmethod
    def of(cls, bursts: Sequence[Burst]) -> Burst:
        """Several as one."""
        return cls(*([s for b in bursts for s in getattr(b, name)] for name in ("published", "arrived", "taken")))

    @property
    def lost(self) -> int:
        """How many did not arrive."""
        return max(0, len(self.published) - len(self.arrived))


class Pair:
    """A writer and a reader that know one another only.

    Args:
        way: how messages go between them.
        domain: ROS domain of their own.
        folder: for logs.
    """

    def __init__(self, way: Way, domain: int, folder: Path) -> None:
        self.way = way
        environment = environment_of(way, domain)
        # both start while the other does
        self._writer = Peer("writer", True, environment, folder / f"writer_{domain}.log")
        self._reader = Peer("reader", way.reader_keeps, environment, folder / f"reader_{domain}.log")

    @property
    def reader_pid(self) -> int:
        """Process id of the reader."""
        return self._reader.pid

    def wait_until_ready(self) -> None:
        """Once before anything else; raises `PeerDied`."""
        self._writer.answer()
        self._reader.answer()

    def one(self, load: Load, how: str, *, listened: bool, command: str = "publish") -> float:
        """Publish one message, and wait until it has arrived if anybody listens; seconds.

        Args:
            load: what.
            how: see `depthpro_ros.bench.transport_peer.Writer`.
            listened: `connect` was called for this load.
            command: "publish", how long it took; or "stand_still", how long the process's other threads waited.
        """
        (seconds,) = self._writer.ask(command, load=load, count=1, how=how)
        if listened:
            self.collect(1)
        return float(seconds)

    def collect(self, count: int, late_s: float = LATE_S) -> list[float]:
        """Wait until so many have arrived or nothing has for `late_s`; from publication to arrival of each, seconds."""
        return self._collected(count, late_s)["arrived"]

    def _collected(self, count: int, late_s: float) -> dict[str, list[float]]:
        result: dict[str, list[float]] = self._reader.ask("collect", count=count, late_s=late_s)
        return result

    def close(self) -> None:
        """End both processes."""
        self._writer.close()
        self._reader.close()

    def connect(self, load: Load, *, reliable: bool = True, polling: bool = False) -> None:
        """Read this load from now on.

        Raises:
            PeerDied: the writer does not find the reader, or one of them has ended.
        """
        direct = self.way.taken_directly
        self._reader.ask("subscribe", load=load, reliable=reliable, polling=polling, direct=direct)
        readers = self._writer.ask("connect", load=load, readers=1)
        if readers != 1:
            raise PeerDied(f"the writer of {load.topic} sees {readers} readers in place of 1")

    def burst(self, load: Load, count: int, period_s: float = 0.0, late_s: float = LATE_S) -> Burst:
        """Publish so many in this rhythm, and wait until they have arrived or nothing has for `late_s`."""
        how = "direct" if self.way.direct else "message"
        published = self._writer.ask("publish", load=load, count=count, period_s=period_s, how=how)
        return Burst(published, **self._collected(count, late_s))

    def singly(self, load: Load, count: int) -> Burst:
        """Publish so many, each once the one before has arrived or is late."""
        return Burst.of([self.burst(load, 1) for _ in range(count)])


def environment_of(way: Way, domain: int) -> dict[str, str]:
    """Environment variables of both processes."""
    variables = {name: value for name, value in os.environ.items() if name not in PROFILE_VARIABLES}
    return variables | local_domain(domain) | (profile_variables() if way.profile else {})


def profile_variables() -> dict[str, str]:
    """The variable that names a Fast DDS profile: the user's own, or else the package's; none where it is not found."""
    return {n: os.environ[n] for n in PROFILE_VARIABLES if os.environ.get(n)} or fast_dds_environment()
