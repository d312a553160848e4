# SPDX-License-Identifier: Apache-2.0
"""Parameters of how the node watches itself."""

from __future__ import annotations

from dataclasses import dataclass

from depthpro_ros.node.parameter_spec import row


@dataclass(frozen=True)
class ReliabilityParameters:
    """How the node watches itself, and what it says."""

    frame_limit_s: float = row(
        0.0,
        "How long a frame may take before the node says where it hangs, seconds. 0 chooses by how long frames "
        "have taken.",
        bounds=(0.0, 3600.0),
        runtime=True,
    )
    on_hang: str = row(
        "exit",
        "What happens then: exit ends the process, so that whoever started it starts it anew; report leaves it at "
        "a diagnostic and the log.",
        choices=("exit", "report"),
        runtime=True,
    )
    diagnostics_period_s: float = row(1.0, "Time between two messages on /diagnostics, seconds.", bounds=(0.1, 60.0))
