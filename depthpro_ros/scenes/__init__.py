# SPDX-License-Identifier: Apache-2.0
"""Procedural scenes with exact metric depth, for training, tests and the demo."""

from depthpro_ros.scenes.layout import Camera, Layout, Room, Solid, layout_from_seed
from depthpro_ros.scenes.render import SceneBatch, render_layouts, render_scenes

__all__ = [
    "Camera",
    "Layout",
    "Room",
    "SceneBatch",
    "Solid",
    "layout_from_seed",
    "render_layouts",
    "render_scenes",
]
