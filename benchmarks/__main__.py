# SPDX-License-Identifier: Apache-2.0
"""Everything, one after another, with what machine it ran on."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import torch

from benchmarks import bench_network


def machine() -> str:
    """Processor, cores and, where there is one, the GPU."""
    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ", no GPU"
    return f"{processor}, {os.cpu_count()} cores{gpu}; torch {torch.__version__}, Python {platform.python_version()}"


def main() -> None:
    """Print all tables."""
    print(f"Machine: {machine()}\n")
    subprocess.run([sys.executable, "-m", "benchmarks.bench_node"], check=True)
    print()
    sys.argv = ["bench_network"]
    if torch.cuda.is_available():
        sys.argv += ["--device", "cuda", "--precisions", "float16", "float32", "--runs", "20"]
    bench_network.main()


if __name__ == "__main__":
    main()
