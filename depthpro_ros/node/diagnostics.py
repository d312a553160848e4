# SPDX-License-Identifier: Apache-2.0
"""What the node says about itself on /diagnostics (REP 107)."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from depthpro_ros.models.estimator import EstimatorInfo
from depthpro_ros.node.accounting import Statistics
from depthpro_ros.node.scale_status import LEVELS, scale_text


@dataclass(frozen=True)
class Condition:
    """How the node itself is.

    Attributes:
        state: of its lifecycle.
        model: None while none is loaded.
        failure: why it cannot work at all; empty if it can.
    """

    state: str
    model: EstimatorInfo | None = None
    failure: str = ""


def device_memory_mib(device: str) -> float:
    """Memory in use: torch's on a GPU, the process's resident set on a CPU; NaN where unknown."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.memory_allocated(device) / 2**20
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * 4096 / 2**20
    except OSError:
        return float("nan")


def camera_status(
    name: str, statistics: Statistics, condition: Condition, extra: dict[str, str] | None = None
) -> DiagnosticStatus:
    """What /diagnostics says of one camera.

    Args:
        name: of the status: the node's, and what it is about.
        statistics: what was measured.
        condition: the node's.
        extra: further keys and values.
    """
    state, model, failure = condition.state, condition.model, condition.failure
    values = {"state": state} | (extra or {}) | statistics.values()
    new_errors = statistics.new_errors()
    level, message = DiagnosticStatus.OK, f"{state}, {values['fps out']} fps"
    if model is not None:
        values |= {
            "model": model.name,
            "weights": model.weights,
            "device": model.device,
            "precision": model.precision,
            "device memory (MiB)": f"{device_memory_mib(model.device):.0f}",
        }
        if model.notice:
            level, message = DiagnosticStatus.WARN, model.notice
    if (scale := statistics.scale) is not None and LEVELS[scale.state] != DiagnosticStatus.OK:
        message = scale_text(scale) if level == DiagnosticStatus.OK else f"{scale_text(scale)}; {message}"
        level = max(level, LEVELS[scale.state])
    if warnings := statistics.warnings():
        text = "; ".join(warnings)
        values["warnings"] = text
        message = text if level == DiagnosticStatus.OK else f"{text}; {message}"
        level = max(level, DiagnosticStatus.WARN)
    if new_errors:
        level, message = DiagnosticStatus.ERROR, f"{new_errors} frames refused: {statistics.last_error}"
    if (hang := statistics.hang) is not None:
        level, message = DiagnosticStatus.ERROR, f"{hang.text}, at {hang.place}"
    if failure:
        level, message = DiagnosticStatus.ERROR, failure
        values["last error"] = failure
    return DiagnosticStatus(
        level=level,
        name=name,
        message=message,
        hardware_id=model.name if model else "",
        values=[KeyValue(key=k, value=v) for k, v in values.items()],
    )
