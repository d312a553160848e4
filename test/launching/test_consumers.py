# SPDX-License-Identifier: Apache-2.0
"""What is said where a consumer is not installed, or reads one camera."""

from __future__ import annotations

import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.launching import one_camera, require_packages


def prefix_of(name: str) -> str:
    """Where packages are, if the machine has rtabmap_sync alone."""
    if name == "rtabmap_sync":
        return "/opt/ros/jazzy"
    raise LookupError(name)


def test_installed_packages_are_no_error() -> None:
    require_packages({"rtabmap_sync": ""}, prefix_of, "jazzy")


def test_missing_packages_are_named_as_apt_knows_them() -> None:
    with pytest.raises(InputError) as error:
        require_packages({"rtabmap_sync": "", "rtabmap_odom": "", "image_proc": ""}, prefix_of, "jazzy")
    assert "not installed: rtabmap_odom, image_proc" in str(error.value)
    assert "sudo apt install ros-jazzy-rtabmap-odom ros-jazzy-image-proc" in str(error.value)


def test_what_apt_does_not_have_has_its_own_remedy() -> None:
    with pytest.raises(InputError, match=r"^(?!.*apt install).*Do: ask NVIDIA\."):
        require_packages({"nvblox_ros": "ask NVIDIA"}, prefix_of, "jazzy")


def test_several_cameras_are_refused_where_one_is_read() -> None:
    one_camera({"cameras": ""}, "octomap.launch.py")
    with pytest.raises(InputError, match=r"'\[front, rear\]', and octomap.launch.py reads one camera"):
        one_camera({"cameras": "[front, rear]"}, "octomap.launch.py")
