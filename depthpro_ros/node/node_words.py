# SPDX-License-Identifier: Apache-2.0
"""What a depth node in another process says about itself on /diagnostics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from depthpro_ros.errors import DepthProError

_WARN, _ERROR = b"\x01", b"\x02"
_SETTLED = ("frames out", "dropped", "refused", "not computed (no subscriber)")
"""What becomes of an image that has come in."""


class NodeCannotStart(DepthProError):
    """The node runs and says that it cannot work: no weights, no such device."""


@dataclass
class NodeWords:
    """What the node's diagnostics said.

    Attributes:
        model: name of its model.
        notice: what its user must know about the model; empty if nothing.
        message: the last one's text.
        values: keys and values of the last message.
        idle_reports: how many messages in a row, up to the last, said that no image was waiting or in progress.
    """

    model: str = ""
    notice: str = ""
    message: str = ""
    values: dict[str, str] = field(default_factory=dict)
    idle_reports: int = 0

    def hear(self, array: Any, namespace: str = "") -> None:
        """Take in a DiagnosticArray; what is not of a depth node in this namespace is passed over.

        Raises:
            NodeCannotStart: the node says so.
        """
        for status in array.status:
            values = {v.key: v.value for v in status.values}
            # the name is the node's full one, then a colon and what it is about
            if "frames out" in values and status.name.rpartition("/")[0] == namespace.rstrip("/"):
                self._take(status.level, status.message, status.hardware_id, values)

    def count(self, name: str) -> int:
        """A count that the node gives, such as `refused`; 0 before it has said anything."""
        return int(self.values.get(name, 0))

    def hears(self, *outputs: str) -> bool:
        """Whether the node knows of subscribers to these outputs."""
        known = self.values.get("subscribed outputs", "").split(", ")
        return all(name in known for name in outputs)

    @property
    def complaint(self) -> str:
        """Why nothing comes, in the node's words."""
        if not self.values:
            return "there are no diagnostics of a depth node"
        return f"the node is {self.values.get('state', 'in an unknown state')} and says {self.message!r}"

    def _take(self, level: bytes, message: str, hardware_id: str, values: dict[str, str]) -> None:
        if level == _ERROR and values.get("state") == "unconfigured":
            raise NodeCannotStart(f"the node cannot start: {message}")
        self.values, self.message = values, message
        self.model = hardware_id or self.model
        if level == _WARN:
            self.notice = message
        idle = self.count("images in") == sum(self.count(name) for name in _SETTLED)
        self.idle_reports = self.idle_reports + 1 if idle else 0
