# SPDX-License-Identifier: Apache-2.0
"""What a soak is to do, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from depthpro_ros.node.node_process import NODE_COMMAND
from depthpro_ros.soak.checks import Check
from depthpro_ros.soak.load import PHASES
from depthpro_ros.soak.records import Rest, Sample

STEADY_SHARE = 0.2
"""Of the time, for one image again and again at the end."""
INTERRUPTED = "interrupted"
SHARES = {"raw": 2.0, "compressed": 1.0}
"""How the time is divided between the transports."""


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        seconds: of all processes together.
        seed: of the load.
        model: the node's parameter.
        transports: of `SHARES`.
        command: that starts the node, before its ROS arguments.
        phase_s: length of one phase; 0 chooses by the time there is.
        rounds: of the load for each process, instead of a time; 0 is as many as the time allows.
        steady_s: length of the last phase; 0 is `STEADY_SHARE` of the time.
        sample_s: time between two samples.
        parameters: of the node, beside those of the load.
    """

    seconds: float
    seed: int = 0
    model: str = "depth_pro_nano"
    transports: tuple[str, ...] = ("raw", "compressed")
    command: tuple[str, ...] = NODE_COMMAND
    phase_s: float = 0.0
    rounds: int = 0
    steady_s: float = 0.0
    sample_s: float = 1.0
    parameters: dict[str, str | float | bool] = field(default_factory=dict)

    def seconds_of(self, transport: str) -> float:
        """The time of one process."""
        return self.seconds * SHARES[transport] / sum(SHARES[t] for t in self.transports)

    def phase_seconds(self, transport: str) -> float:
        """So long that there are some eight rounds, within reason."""
        phases = len(PHASES) + 2
        return self.phase_s or min(8.0, max(0.5, self.seconds_of(transport) / (8 * phases)))

    def steady_seconds(self, transport: str) -> float:
        """The time of the last phase."""
        return self.steady_s or STEADY_SHARE * self.seconds_of(transport)


@dataclass
class Leg:
    """What became of one process; filled while it lasts.

    Attributes:
        transport: of the images.
        rests: the like phases.
        samples: one a second.
        checks: made at the end.
        ended: why it came to an end before its time; empty if it did not.
        phases: how many there were.
    """

    transport: str
    rests: list[Rest] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    ended: str = ""
    phases: int = 0


def failed(legs: Sequence[Leg]) -> list[Check]:
    """The checks that failed."""
    return [check for leg in legs for check in leg.checks if not check.passed]
