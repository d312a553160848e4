# SPDX-License-Identifier: Apache-2.0
"""`depthpro train`: train or fine-tune a network, Depth Pro or DepthART, as a YAML file describes."""

from __future__ import annotations

import argparse
from pathlib import Path

from depthpro_ros.cli.arguments import positive_float


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "train",
        help="train, or fine-tune on your own RGB-D data",
        description="Train a network as CONFIG describes, Depth Pro or, with `model: depthart_ar` in it, DepthART; "
        "config/training has examples. A run that was "
        "stopped, by Ctrl-C or by a power cut, goes on from its last checkpoint when the same command is given again.",
        epilog="Several GPUs: torchrun --nproc-per-node N -m depthpro_ros.cli train CONFIG",
    )
    parser.add_argument("config", metavar="CONFIG", type=Path, help="the run's YAML")
    parser.add_argument("--init", metavar="WEIGHTS", type=Path, help="start from these weights (wins over CONFIG)")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, help="folder for results (wins over CONFIG)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument(
        "--minutes", metavar="M", type=positive_float, help="stop after this time with a checkpoint to go on from"
    )
    parser.add_argument("--check", action="store_true", help="check configuration and data, and stop there")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train; 0 when all stages are done or time was up."""
    from depthpro_ros.training.config import TrainConfig, config_from, read_yaml
    from depthpro_ros.training.depthart.config import ArtTrainConfig, art_config_from
    from depthpro_ros.training.depthart.run import ArtTrainer
    from depthpro_ros.training.processes import joined
    from depthpro_ros.training.sources import TrainingData
    from depthpro_ros.training.trainer import Trainer

    overrides = {"init": args.init, "output": args.output}
    raw = read_yaml(args.config) | {key: str(value) for key, value in overrides.items() if value is not None}
    config: TrainConfig | ArtTrainConfig
    config = (art_config_from if "model" in raw else config_from)(raw, str(args.config))
    with joined(args.device) as processes:
        data = TrainingData(config, processes)
        if processes.leads:
            print("\n".join(data.report), flush=True)
        if args.check:
            return 0
        trainer: Trainer | ArtTrainer
        trainer = (
            Trainer(config, processes, data) if isinstance(config, TrainConfig) else ArtTrainer(config, processes, data)
        )
        trained = trainer.train(args.minutes)
        if processes.leads and trained is not None:
            print(f"trained weights: {trained}")
    return 0
