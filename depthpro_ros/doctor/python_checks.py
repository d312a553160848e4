# SPDX-License-Identifier: Apache-2.0
"""Python and the libraries that make pictures and numbers."""

from __future__ import annotations

import sys

from depthpro_ros.doctor.finding import Finding, ok, problem, warning
from depthpro_ros.doctor.outside import Answer, ask

OLDEST = (3, 10)
NEWEST_WITH_WHEELS = (3, 13)
"""The latest Python that PyPI's ROS wheels exist for."""
NEEDED = ("numpy", "cv2", "PIL", "safetensors")
PACKAGES = {"cv2": "opencv-python-headless", "PIL": "pillow"}
"""What pip calls a module, where that differs."""


def check_python(version: tuple[int, int, int], prefix: str, *, in_environment: bool) -> Finding:
    """Whether this Python is one that the package supports.

    Args:
        version: major, minor and micro.
        prefix: `sys.prefix`.
        in_environment: whether it is a virtual environment.
    """
    found = f"{'.'.join(map(str, version))} in {prefix}" + (" (virtual environment)" if in_environment else "")
    if version[:2] < OLDEST:
        return problem("Python", found, "depthpro_ros needs Python 3.10 or newer: ROS 2 Humble or later brings one")
    if version[:2] > NEWEST_WITH_WHEELS:
        return warning(
            "Python",
            found,
            "newer than what depthpro_ros is tested with (3.10 to 3.13), and without ROS wheels on PyPI",
        )
    return ok("Python", found)


def check_library(module: str, answer: Answer) -> Finding:
    """Whether a library that is always needed can be imported.

    Args:
        module: its name.
        answer: its version.
    """
    if not answer.failure:
        return ok(module, str(answer.value))
    package = PACKAGES.get(module, module)
    if answer.missing:
        return problem(module, "not installed", f"pip install {package}")
    advice = f"pip install --force-reinstall {package}"
    if "libGL" in answer.failure or "libgthread" in answer.failure:
        advice = (
            "this machine has no display libraries: pip uninstall opencv-python, pip install opencv-python-headless"
        )
    elif "ARRAY_API" in answer.failure or "numpy" in answer.failure.lower():
        advice = "it was built for another NumPy: install both from one source (pip, or the distribution's packages)"
    return problem(module, answer.failure, advice)


def check_cv_bridge(answer: Answer, numpy_version: str) -> Finding:
    """Whether cv_bridge works; the node does without it.

    Args:
        answer: to converting a picture of two pixels with it.
        numpy_version: of NumPy; empty if it cannot be imported.
    """
    if not answer.failure:
        return ok("cv_bridge", f"works with NumPy {numpy_version}")
    if answer.missing:
        return ok("cv_bridge", "not installed; the node converts images itself, with the same pixels")
    advice = "the node finds this out by itself and converts images without cv_bridge; other nodes in Python may fail"
    if numpy_version.startswith("2") and ("ARRAY_API" in answer.failure or "SIG" in answer.failure):
        advice = (
            "cv_bridge of the distribution was built for NumPy 1. The import itself may end a process: "
            "pip install 'numpy<2', or give depthpro_ros an environment without cv_bridge"
        )
    level = problem if "SIG" in answer.failure else warning
    return level("cv_bridge", answer.failure, advice)


def check_all() -> list[Finding]:
    """All of this file, on this machine."""
    version = sys.version_info
    findings = [
        check_python(
            (version.major, version.minor, version.micro), sys.prefix, in_environment=sys.prefix != sys.base_prefix
        )
    ]
    answers = {module: ask(module, f"{module}.__version__") for module in NEEDED}
    findings += [check_library(module, answer) for module, answer in answers.items()]
    picture = "__import__('numpy').zeros((1, 2, 3), 'uint8')"
    bridge = ask("cv_bridge", f"cv_bridge.CvBridge().cv2_to_imgmsg({picture}, 'bgr8').width")
    numpy = answers["numpy"]
    return [*findings, check_cv_bridge(bridge, "" if numpy.failure else str(numpy.value))]
