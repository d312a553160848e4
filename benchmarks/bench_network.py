# SPDX-License-Identifier: Apache-2.0
"""The full network with random weights beside transformers' implementation, one 1536x1536 image.

Each measurement is a process of its own, since peak memory is the process's; the two implementations take
turns. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

IMPLEMENTATIONS = ("depthpro_ros", "transformers")


def measure(implementation: str, precision: str, device: str, runs: int) -> dict[str, float]:
    """Build one network, run it once and then `runs` times more; seconds (medians) and peak bytes."""
    import torch

    dtype = getattr(torch, precision)
    started = time.perf_counter()
    network, run = _BUILDERS[implementation](torch, dtype, device)
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for parameter in network.parameters():
            # std 0.02 in float32, then cast: every build gets comparable numbers in its range
            noise = torch.empty(parameter.shape, dtype=dtype).normal_(0, 0.02, generator=generator)
            parameter.copy_(noise)
        del noise
        built = time.perf_counter() - started
        image = torch.rand(1, 3, 1536, 1536, generator=generator).mul_(2).sub_(1).to(device, dtype)
        seconds = []
        for _ in range(runs + 1):
            if device != "cpu":
                torch.cuda.synchronize()
            started = time.perf_counter()
            run(image)
            if device != "cpu":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if device != "cpu":
        peak = torch.cuda.max_memory_reserved()
    warm = statistics.median(seconds[1:]) if runs else float("nan")
    return {"build_s": built, "cold_s": seconds[0], "warm_s": warm, "peak_bytes": peak}


def _ours(torch, dtype, device: str) -> tuple[object, Callable]:
    from depthpro_ros.models.depth_pro import DepthPro, DepthProConfig

    with torch.device("meta"):
        network = DepthPro(DepthProConfig()).to(dtype)
    network = network.to_empty(device=device).to(memory_format=torch.channels_last).eval()
    return network, lambda image: network(image.contiguous(memory_format=torch.channels_last))


def _transformers(torch, dtype, device: str) -> tuple[object, Callable]:
    from transformers import DepthProConfig, DepthProForDepthEstimation

    vit = {
        "model_type": "dinov2",
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "patch_size": 16,
        "image_size": 384,
    }
    config = DepthProConfig(
        use_fov_model=True, patch_model_config=dict(vit), image_model_config=dict(vit), fov_model_config=dict(vit)
    )
    with torch.device("meta"):
        network = DepthProForDepthEstimation(config).to(dtype)
    network = network.to_empty(device=device).eval()
    return network, lambda image: network(pixel_values=image)


_BUILDERS = {"depthpro_ros": _ours, "transformers": _transformers}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--runs", type=int, default=1, help="runs of each after the first one; may be 0")
    parser.add_argument("--implementation", choices=IMPLEMENTATIONS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.implementation:
        print(json.dumps(measure(arguments.implementation, arguments.precisions[0], arguments.device, arguments.runs)))
        return
    print("| network, 1536x1536 | precision | first run, s | warm, s | peak memory, GB |")
    print("|---|---|---|---|---|")
    for precision in arguments.precisions:
        for implementation in IMPLEMENTATIONS:
            command = [sys.executable, "-m", "benchmarks.bench_network", "--implementation", implementation]
            command += ["--device", arguments.device, "--precisions", precision, "--runs", str(arguments.runs)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            result = json.loads(output.splitlines()[-1])
            print(
                f"| {implementation} | {precision} | {result['cold_s']:.2f} | {result['warm_s']:.2f} | "
                f"{result['peak_bytes'] / 1e9:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
