# SPDX-License-Identifier: Apache-2.0
"""Installs with pip, and with colcon as an ament_python package."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

NAME = "depthpro_ros"
HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / NAME / "__init__.py").read_text())[1]  # type: ignore[index]

ROS_WHEELS = [  # for machines without a ROS distribution; PyPI has them for Linux
    "ros-rclpy[fastrtps]",
    "ros-sensor-msgs",
    "ros-std-msgs",
    "ros-diagnostic-msgs",
    "ros-lifecycle-msgs",
    "ros-rcl-interfaces",
]


def files(folder: str) -> tuple[str, list[str]]:
    """A folder of the repository, for the package's share folder."""
    return f"share/{NAME}/{folder}", [str(p.relative_to(HERE)) for p in sorted((HERE / folder).glob("*.*"))]


setup(
    name=NAME,
    version=VERSION,
    description="Metric depth, camera intrinsics and point clouds from one camera with Depth Pro, on ROS 2",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={NAME: ["models/data/*", "evaluation/protocols/*.yaml", "evaluation/report/web/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        files("launch"),
        files("config"),
        files("config/training"),
    ],
    install_requires=["numpy", "opencv-python", "pillow", "safetensors", "torch>=2.4"],
    extras_require={
        "ros": ROS_WHEELS,
        "weights": ["huggingface_hub"],
        "demo": ["rosbags", "scikit-image", "matplotlib"],
        "train": ["PyYAML", "pydantic>=2", "tensorboard", "tqdm", "rosbags"],
        "evaluate": ["PyYAML", "pydantic>=2", "h5py", "scipy", "rosbags", "psutil"],
        "soak": ["psutil", "matplotlib"],
        "fleet": ["ray>=2.9"],
        "fuzz": ["atheris"],
        "completion": ["shtab>=1.13"],
        "docs": ["mkdocs>=1.6,<2", "mkdocs-material>=9.5,<10"],
        "test": [
            "pytest",
            "pytest-timeout",
            "pytest-xdist",
            "hypothesis",
            "ruff",
            "mypy",
            "transformers",
            "rosbags",
            "mcap",
            "mcap-ros2-support",
            "scipy",
            "selenium",
            "shtab>=1.13",
            "mkdocs>=1.6,<2",
            "mkdocs-material>=9.5,<10",
            "ray>=2.9",
        ],
    },
    zip_safe=False,
    entry_points={
        "console_scripts": [
            f"depth_node = {NAME}.node.depth_node:main",
            f"depthpro = {NAME}.cli.main:main",
        ]
    },
)
