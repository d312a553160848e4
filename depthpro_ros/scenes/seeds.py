# SPDX-License-Identifier: Apache-2.0
"""From a seed to a scene."""

from __future__ import annotations

import numpy as np

from depthpro_ros.scenes.layout import Layout
from depthpro_ros.scenes.open_ground import open_scene
from depthpro_ros.scenes.rooms import room_scene

_INDOOR_SHARE = 0.55


def layout_from_seed(seed: int) -> Layout:
    """Draw the scene of a seed (any non-negative integer); the same seed gives the same scene everywhere."""
    if seed < 0:
        raise ValueError(f"seed is {seed}, expected a non-negative integer")
    rng = np.random.default_rng(seed)
    return room_scene(rng) if rng.random() < _INDOOR_SHARE else open_scene(rng)
