# SPDX-License-Identifier: Apache-2.0
"""SciPy, which only some metrics need."""

from __future__ import annotations

import importlib
from typing import Any

from depthpro_ros.errors import InputError


def scipy_module(name: str) -> Any:
    """A module of SciPy, such as `ndimage`.

    Raises:
        InputError: SciPy is not installed.
    """
    try:
        return importlib.import_module(f"scipy.{name}")
    except ImportError as error:
        raise InputError("this metric needs SciPy: pip install 'depthpro_ros[evaluate]'") from error
