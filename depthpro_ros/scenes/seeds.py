# SPDX-License-Identifier: Apache-2.0
"""From a seed to a scene."""

from __future__ import annotations

from random import Random

from depthpro_ros.errors import InputError
from depthpro_ros.scenes.cameras import is_clear
from depthpro_ros.scenes.corridors import corridor_scene
from depthpro_ros.scenes.layout import Layout
from depthpro_ros.scenes.outdoors import park_scene, street_scene, yard_scene
from depthpro_ros.scenes.rooms import room_scene
from depthpro_ros.scenes.warehouse import warehouse_scene

_KINDS = (
    (0.36, room_scene),
    (0.13, corridor_scene),
    (0.13, warehouse_scene),
    (0.15, street_scene),
    (0.13, yard_scene),
    (0.1, park_scene),
)


def layout_from_seed(seed: int) -> Layout:
    """Draw the scene of a seed (any non-negative integer), its kind included; the same on every machine.

    Raises:
        InputError: a negative seed.
    """
    if seed < 0:
        raise InputError(f"seed is {seed}, expected a non-negative integer")
    rng = Random(seed)
    shares, makers = zip(*_KINDS, strict=True)
    while True:
        layout = rng.choices(makers, shares)[0](rng)
        # A scene may be so full that no place is free for a camera; then another one is drawn.
        if is_clear(layout):
            return layout
