# SPDX-License-Identifier: Apache-2.0
"""Metric depth from one camera with Depth Pro, as a ROS 2 node and as a library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from depthpro_ros.models import Estimator, Prediction, load_estimator

__all__ = ["Estimator", "Prediction", "__version__", "load_estimator"]


def __getattr__(name: str) -> Any:
    # torch takes a second to import; launch files and `--help` should not wait for it
    if name in ("Estimator", "Prediction", "load_estimator"):
        from depthpro_ros import models

        return getattr(models, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
