# SPDX-License-Identifier: Apache-2.0
"""Looking at a process from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depthpro_ros.errors import InputError
from depthpro_ros.soak.records import Footprint

MIB = 2**20
SHARED_MEMORY = "/dev/shm/"


class Observed:
    """A process that is looked at again and again.

    Args:
        pid: its id.

    Raises:
        InputError: psutil is not installed.
    """

    def __init__(self, pid: int) -> None:
        try:
            import psutil
        except ImportError as error:
            raise InputError("a soak needs psutil: pip install 'depthpro_ros[soak]'") from error
        self._process: Any = psutil.Process(pid)
        self._maps, self._rollup = Path(f"/proc/{pid}/maps"), Path(f"/proc/{pid}/smaps_rollup")

    def footprint(self) -> Footprint:
        """What it holds now."""
        with self._process.oneshot():
            memory, times = self._process.memory_info(), self._process.cpu_times()
            threads, files = self._process.num_threads(), self._process.num_fds()
        shared, rolled = self._shared(), self._rolled_up()
        return Footprint(
            private_mib=(rolled["Anonymous"] + rolled["Swap"]) / MIB,
            pss_mib=rolled["Pss"] / MIB,
            rss_mib=memory.rss / MIB,
            threads=threads,
            files=files,
            shared_files=len(shared),
            shared_mib=sum(shared.values()) / MIB,
            cpu_s=times.user + times.system,
        )

    def _rolled_up(self) -> dict[str, int]:
        """Kinds of memory that it maps, in bytes."""
        lines = self._rollup.read_text(encoding="ascii", errors="replace").splitlines()[1:]
        return {name: 1024 * int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}

    def _shared(self) -> dict[str, int]:
        """Files of shared memory that it maps, and how much of each, in bytes."""
        sizes: dict[str, int] = {}
        for line in self._maps.read_text(errors="replace").splitlines():
            words = line.split(maxsplit=5)
            if len(words) == 6 and words[5].startswith(SHARED_MEMORY):
                begin, end = (int(word, 16) for word in words[0].split("-"))
                sizes[words[5]] = sizes.get(words[5], 0) + end - begin
        return sizes
