# SPDX-License-Identifier: Apache-2.0
"""Which environment variable names Fast DDS's profile."""

from __future__ import annotations

from collections.abc import Mapping

PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""Fast DDS reads the first since 2.14 (Jazzy) and complains about the second, which Humble and Iron read."""
OLD_DISTRIBUTIONS = ("humble", "iron")
"""Whose Fast DDS knows the second alone."""


def profile_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Those of `PROFILE_VARIABLES` that Fast DDS of the sourced distribution reads, the one that it prefers first."""
    return PROFILE_VARIABLES[1:] if environment.get("ROS_DISTRO") in OLD_DISTRIBUTIONS else PROFILE_VARIABLES
