# SPDX-License-Identifier: Apache-2.0
"""Depth Pro made fast: the network that users run, where `depth_pro.network` is the one that is trained."""

from depthpro_ros.models.depth_pro.inference.budget import UNLIMITED, MemoryBudget, budget
from depthpro_ros.models.depth_pro.inference.network import STAGES, MergedDepthPro

__all__ = ["STAGES", "UNLIMITED", "MemoryBudget", "MergedDepthPro", "budget"]
