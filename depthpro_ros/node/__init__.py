# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 node. Nothing outside this package and the launch files imports rclpy."""

import os

# OpenMP's threads spin while they wait for one another: on a robot whose cores have other work too, that makes
# a frame ten times as slow. Read when torch is first loaded, so it has to be set before.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
