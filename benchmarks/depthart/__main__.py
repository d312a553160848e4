# SPDX-License-Identifier: Apache-2.0
"""Train all arms from one start, score them, and write the page.

The start, a tokenizer and a transformer that regresses latents, is what `depthpro train
config/training/depthart_start.yaml` makes. Runs that are done are not done again; several processes may share the work.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from benchmarks.depthart.arm import (
    ARM_NAMES,
    ArmResult,
    Score,
    Settings,
    score_map,
    score_regression,
    score_tokenizer,
    train_arm,
)
from benchmarks.depthart.report import write, write_without_results
from benchmarks.depthart.scenes import make_held_out, make_pool, shared_pool
from depthpro_ros.models.depthart.weights import load_model, save_model
from depthpro_ros.training.depthart.regression import Readout
from depthpro_ros.training.depthart.run import TRAINED
from depthpro_ros.training.depthart.stage_run import READOUT

DOCS = Path(__file__).resolve().parents[2] / "docs"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--start", type=Path, default=Path("out/train/depthart_start"), help="folder of the start's run"
    )
    parser.add_argument("--output", type=Path, default=Path("out/depthart"), help="folder for results")
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pool", type=int, default=8192, help="training images of one seed")
    parser.add_argument("--scenes", type=int, default=256, help="held-out scenes")
    parser.add_argument("--share", default="0/1", metavar="I/N", help="do every N-th run only, the page if I is 0")
    parser.add_argument("--device", default="cpu", help="where to train (%(default)s)")
    parser.add_argument("--page", action="store_true", help="write the page of what is there and train nothing")
    arguments = parser.parse_args()
    settings = Settings(steps=arguments.steps)
    if arguments.page and not any(arguments.output.glob("*-*.json")):
        write_without_results(DOCS)
        return
    model = load_model(arguments.start / TRAINED).float().to(arguments.device)
    readout = Readout(model).to(arguments.device)
    readout.load_state_dict(torch.load(arguments.start / READOUT, weights_only=True, map_location=arguments.device))
    wanted = [(arm, seed) for seed in range(arguments.seeds) for arm in ARM_NAMES]
    index, count = (int(part) for part in arguments.share.split("/"))
    held_out = make_held_out(model, range(arguments.scenes))
    pool, pool_seed = None, -1
    for number, (arm, seed) in enumerate(wanted):
        path = arguments.output / f"{arm}-{seed}.json"
        if arguments.page or path.exists() or number % count != index:
            continue
        if pool is None or pool_seed != seed:
            pool, pool_seed = shared_pool(model, arguments.pool, seed, arguments.output), seed
        trained, result = train_arm(arm, seed, model, readout, pool, held_out, settings)
        save_model(trained, path.with_suffix(".safetensors"))
        result.write(path)
    results = [ArmResult.read(path) for path in sorted(arguments.output.glob("*-*.json"))]
    results = [result for result in results if result.settings == settings and result.seed < arguments.seeds]
    if index or not results:
        return
    mean_map = make_pool(model, 2048, 1000).mean_map
    trivial: dict[str, Score] = {
        "mean depth map": score_map(mean_map, held_out),
        "the common start's regression": score_regression(model, readout, held_out),
        "the tokenizer's own tokens of the truth": score_tokenizer(model, held_out),
    }
    write(DOCS, results, trivial, model.config.tokenizer.scales, arguments.pool)


if __name__ == "__main__":
    main()
