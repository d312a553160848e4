#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Make .venv hold everything that the demo and the tests need. Runs again only when the package's
# requirements change. With a sourced ROS distribution its rclpy is used; without one, ROS from PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}

fail() { echo "setup: $*" >&2; exit 1; }

have_ros=no
if [ -n "${ROS_DISTRO:-}" ] && /usr/bin/python3 -c 'import rclpy, sensor_msgs' 2>/dev/null; then
    have_ros=yes
fi

# the ROS wheels exist for Python 3.10 to 3.13; a sourced ROS belongs to the system's Python
find_python() {
    local candidate
    if [ "$have_ros" = yes ]; then echo /usr/bin/python3; return; fi
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.10; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$candidate"; return
        fi
    done
    fail "needs Python 3.10 to 3.13; set PYTHON to one (found: $(python3 --version 2>&1))"
}
python=$(find_python)

wanted=$(cat setup.py constraints.txt scripts/setup.sh | sha256sum | cut -d' ' -f1)-$have_ros-$("$python" --version)
if [ -f "$venv/.ready" ] && [ "$(cat "$venv/.ready")" = "$wanted" ]; then exit 0; fi

# Debian and Ubuntu keep the venv module in a package of its own
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    echo "setup: $python has no venv module, installing $version"
    if [ "$(id -u)" = 0 ]; then sudo=""; else sudo="sudo"; fi
    $sudo apt-get update -qq && $sudo apt-get install -y -qq "$version" ||
        fail "could not install it; run: sudo apt-get install $version"
fi

if [ ! -x "$venv/bin/python" ]; then
    echo "setup: creating $venv with $("$python" --version)"
    if [ "$have_ros" = yes ]; then
        "$python" -m venv --system-site-packages "$venv"
    else
        "$python" -m venv "$venv"
    fi
    touch "$venv/COLCON_IGNORE"
fi
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

extras=demo,test,train,evaluate
constraints=(-c constraints.txt)
if [ "$have_ros" = yes ]; then
    echo "setup: using ROS $ROS_DISTRO"
    # the distribution's cv_bridge is compiled against NumPy 1
    if "$venv/bin/python" -c 'import cv_bridge, numpy, sys; sys.exit(numpy.__version__.startswith("2"))' 2>/dev/null; then
        echo "numpy<2" > "$venv/numpy1.txt"
        constraints+=(-c "$venv/numpy1.txt")
    fi
else
    extras=$extras,ros
fi
echo "setup: installing (PyTorch is a large download the first time)"
pip install -q --upgrade pip
pip install -q "${constraints[@]}" torch
pip install -q "${constraints[@]}" -e ".[$extras]"

# the wheel with windows needs libGL and X libraries, which a server does not have
if ! "$venv/bin/python" -c 'import cv2' 2>/dev/null; then
    echo "setup: no display libraries here, taking OpenCV without windows"
    pip uninstall -q -y opencv-python
    pip install -q "${constraints[@]}" opencv-python-headless
fi
"$venv/bin/python" -c 'import cv2, numpy, rclpy, torch, sensor_msgs.msg, diagnostic_msgs.msg'
echo "$wanted" > "$venv/.ready"
echo "setup: done"
