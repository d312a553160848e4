# SPDX-License-Identifier: Apache-2.0
"""The node's parameters, by what they concern, and the table of all of them."""

from depthpro_ros.node.parameters.settings import LOADING, TABLE, Settings, declare

__all__ = ["LOADING", "TABLE", "Settings", "declare"]
