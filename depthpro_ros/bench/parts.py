# SPDX-License-Identifier: Apache-2.0
"""The parts of `depthpro bench`, in the order in which they run and stand in docs/performance.md."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from depthpro_ros.bench.results import PartResult, RunContext
from depthpro_ros.errors import InputError

Run = Callable[[RunContext], PartResult]


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes:
        name: on the command line and in the results; also its module in `depthpro_ros.bench`, which has
            `run(context: RunContext) -> PartResult`.
        help: what it measures, in a few words.
        share: its part of the time, relative to the others.
    """

    name: str
    help: str
    share: float = 1.0

    def load(self) -> Run:
        """Import the module, which is not done before it is needed; its `run`."""
        return cast(Run, importlib.import_module(f"depthpro_ros.bench.{self.name}").run)


PARTS = (
    Part("machine", "matrix and copy rates, and the floor that follows for one frame", 2),
    Part("network", "the full network, ours beside transformers', with stages and peak memory", 6),
    Part("depthart", "DepthART: the full network beside its plain composition, and the bundled one", 4),
    Part("pipeline", "image to depth and cloud, without ROS"),
    Part("node", "arrival of an image to its messages published, through real topics", 2),
    Part("cameras", "1, 2, 4 and 8 cameras in one batch"),
    Part("messages", "making ROS messages, beside the usual ways"),
    Part("transport", "messages through the middleware: arrival and loss", 4),
    Part("evaluation", "what an evaluation costs beside its model"),
    Part("startup", "launch to first depth"),
    Part("profiles", "approximate profiles: speed, and how far they change the depth"),
)


def chosen(names: Sequence[str]) -> tuple[Part, ...]:
    """The parts of these names, in the order of `PARTS`; all of them where none is named.

    Raises:
        InputError: there is no such part.
    """
    known = [part.name for part in PARTS]
    for name in names:
        if name not in known:
            raise InputError(f"there is no part {name!r} to measure: choose from {', '.join(known)}")
    return tuple(part for part in PARTS if not names or part.name in names)
