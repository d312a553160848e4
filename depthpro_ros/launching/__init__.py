# SPDX-License-Identifier: Apache-2.0
"""What the launch files share.

Plain data as far as it goes, which can be read and tested where launch is not installed; `actions` makes launch's own
objects of it, and imports launch inside its functions.
"""

from depthpro_ros.launching.arguments import PARAMETERS, Argument, depth_arguments, with_defaults
from depthpro_ros.launching.consumers import ConsumerNode, one_camera, require_packages
from depthpro_ros.launching.values import camera_names, dds_environment, is_simulated, joined, logger_name, remappings

__all__ = [
    "PARAMETERS",
    "Argument",
    "ConsumerNode",
    "camera_names",
    "dds_environment",
    "depth_arguments",
    "is_simulated",
    "joined",
    "logger_name",
    "one_camera",
    "remappings",
    "require_packages",
    "with_defaults",
]
