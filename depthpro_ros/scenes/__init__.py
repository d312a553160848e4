# SPDX-License-Identifier: Apache-2.0
"""Procedural scenes with exact metric depth, for training, tests and the demo."""

from depthpro_ros.scenes.layout import Camera, Layout, Room, Solid
from depthpro_ros.scenes.render import SceneBatch, render_layouts, render_scenes
from depthpro_ros.scenes.seeds import layout_from_seed

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
