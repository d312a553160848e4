# SPDX-License-Identifier: Apache-2.0
"""A network small enough to be trained in a test."""

from __future__ import annotations

from dataclasses import replace

from depthpro_ros.models.depth_pro.presets import PICO

TINY = replace(PICO, window_px=16)
"""A quarter of the pixels."""
