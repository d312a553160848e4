# SPDX-License-Identifier: Apache-2.0
"""Ray, which is optional, and the cluster to connect to."""

from __future__ import annotations

import logging
import os
from typing import Any

from depthpro_ros.errors import InputError

OBJECT_STORE_BYTES = 200_000_000
"""Results are small and are fetched at once; Ray's own choice is a third of the memory."""


def import_ray() -> Any:
    """The module.

    Raises:
        InputError: it is not installed.
    """
    # before the import: nothing is reported to Ray's makers
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise InputError(
            "spreading work needs Ray: pip install 'depthpro_ros[fleet]', or give --no-ray to work in one process"
        ) from error
    return ray


def connect(ray: Any, address: str | None, cores: int | None = None) -> bool:
    """Connect to a cluster.

    Args:
        ray: the module.
        address: as `ray.init` takes it; None starts one on this machine.
        cores: of that one; None for all.

    Returns:
        Whether to disconnect afterwards; not from a cluster that this process was connected to before.

    Raises:
        InputError: there is no such cluster.
    """
    if ray.is_initialized():
        return False
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        # "local" also where an environment variable names a cluster
        ray.init(
            address="local",
            num_cpus=cores,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            **quiet,
        )
        return True
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError, ImportError) as error:
        last_line = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise InputError(
            f"cannot connect to a Ray cluster at {address}: {last_line} (one that asks for a token needs "
            "RAY_AUTH_MODE=token here, too)"
        ) from error
    return True
