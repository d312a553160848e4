# SPDX-License-Identifier: Apache-2.0
"""Depth Pro (arXiv 2410.02073), written from the paper and the released network's behaviour."""

from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.network import DepthPro

__all__ = ["DepthPro", "DepthProConfig"]
