# SPDX-License-Identifier: Apache-2.0
"""The node's parameters as they are at the moment."""

from __future__ import annotations

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from depthpro_ros.errors import InputError
from depthpro_ros.node.parameters import Settings, declare


class LiveSettings:
    """Declares the parameters of a node, and follows what is set; what is not allowed is refused with a reason.

    Args:
        node: that has the parameters.

    Attributes:
        now: the settings in force.

    Raises:
        InputError: a value given at the start is not allowed.
    """

    def __init__(self, node: Node) -> None:
        self.now: Settings = declare(node)
        # Humble does not tell when all have agreed
        self._used_when_checked = not hasattr(node, "add_post_set_parameters_callback")
        node.add_on_set_parameters_callback(self._check)
        if not self._used_when_checked:
            node.add_post_set_parameters_callback(self._use)

    def _check(self, parameters: list[Parameter]) -> SetParametersResult:
        try:
            settings = self._with(parameters)
        except InputError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if self._used_when_checked:
            self.now = settings
        return SetParametersResult(successful=True)

    def _use(self, parameters: list[Parameter]) -> None:
        self.now = self._with(parameters)

    def _with(self, parameters: list[Parameter]) -> Settings:
        return self.now.replaced({p.name: p.value for p in parameters})
