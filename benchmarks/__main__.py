# SPDX-License-Identifier: Apache-2.0
"""Everything, one after another, with what machine it ran on."""

from __future__ import annotations

import platform
import subprocess
import sys

import torch

from benchmarks import bench_network
from depthpro_ros.machine import machine


def main() -> None:
    """Print all tables."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"Machine: {machine([device])}; torch {torch.__version__}, Python {platform.python_version()}\n")
    for part in ("bench_node", "bench_evaluation"):
        subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=True)
        print()
    sys.argv = ["bench_network"]
    if torch.cuda.is_available():
        sys.argv += ["--device", "cuda", "--precisions", "float16", "float32", "--runs", "20"]
    bench_network.main()


if __name__ == "__main__":
    main()
