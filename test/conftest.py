# SPDX-License-Identifier: Apache-2.0
"""Settings for all tests."""

import os
from typing import Any

import pytest

# before torch is loaded: threads that spin while they wait make a busy machine many times slower
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:
    # the workers take the cores already
    os.environ.setdefault("OMP_NUM_THREADS", "1")

JOIN_ROS = (
    "test/node/",
    "test/consumers/",
    "test/bench/test_transport_part.py",
    "test/demo/test_run.py",
)
"""Where tests join a ROS network."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests among processes (`pytest -n 2`): each module whole, and all that joins a ROS network on one.

    The tests of a module share fixtures. Of those that join a ROS network no two run at a time: none hears another's
    messages, and what one publishes does not delay another.
    """
    from xdist.scheduler import LoadFileScheduling

    class WholeModules(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "ros" if nodeid.startswith(JOIN_ROS) else super()._split_scope(nodeid)

    return WholeModules(config, log)
