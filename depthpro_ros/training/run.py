# SPDX-License-Identifier: Apache-2.0
"""What all stages of a run share: its network, where it stands, and how it is kept."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro import DepthPro
from depthpro_ros.models.depth_pro.weights import load_network
from depthpro_ros.models.vit import VisionTransformer
from depthpro_ros.training.checkpoint import Progress, read_checkpoint, write_checkpoint
from depthpro_ros.training.config import TrainConfig
from depthpro_ros.training.init import initialise
from depthpro_ros.training.processes import Processes
from depthpro_ros.training.sources import TrainingData

CHECKPOINT = "checkpoint.pt"


def build_network(config: TrainConfig) -> DepthPro:
    """The network that a run starts from, float32, on the CPU.

    Raises:
        WeightsError: `init` cannot be read.
        InputError: `init` is of another size than `network`, or a stage trains a head that it does not have.
    """
    if config.init is None:
        torch.manual_seed(config.seed)
        network = DepthPro(config.network_config())
        initialise(network)
    else:
        network = load_network(config.init).float()
        if config.network is not None and network.config != config.network_config():
            raise InputError(
                f"init {config.init} is a network of other sizes than `network: {config.network}`: it is "
                f"{network.config.to_json()}"
            )
    for stage in config.stages:
        if stage.train == "fov" and network.fov is None:
            raise InputError(f"stage {stage.name} trains a field-of-view head, but the network has no fov_encoder")
    for module in network.modules():
        if isinstance(module, VisionTransformer):
            module.recompute = config.gradient_checkpointing
    return network


@dataclass
class Run:
    """A run in one of its processes.

    Attributes:
        config: what to do.
        processes: this process among those that train.
        data: where the images come from.
        network: what is trained.
        progress: where the run stands.
        resumed: the rest of the checkpoint that the run goes on from, until its stage has taken it.
    """

    config: TrainConfig
    processes: Processes
    data: TrainingData
    network: DepthPro
    progress: Progress = field(default_factory=Progress)
    resumed: dict[str, Any] | None = None
    _stopped: bool = False

    @classmethod
    def start(cls, config: TrainConfig, processes: Processes, data: TrainingData) -> Run:
        """Begin, or go on from the output folder's checkpoint.

        Raises:
            InputError: as `build_network` and `read_checkpoint` do.
        """
        run = cls(config, processes, data, build_network(config))
        if (run.folder / CHECKPOINT).exists():
            run.progress, run.resumed = read_checkpoint(run.folder / CHECKPOINT, run.architecture)
            run.network.load_state_dict(run.resumed["network"])
        run.network.to(processes.device)
        run.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return run

    @property
    def folder(self) -> Path:
        """Where results go."""
        return self.config.output

    @property
    def architecture(self) -> str:
        """What a checkpoint must be of."""
        return self.network.config.to_json()

    def save(self, state: dict[str, Any]) -> str | None:
        """Write a checkpoint of the network and `state`; returns why it could not be, see `write_checkpoint`."""
        if not self.processes.leads:
            return None
        everything = {"network": self.network.state_dict(), **state}
        return write_checkpoint(self.folder / CHECKPOINT, self.progress, self.architecture, everything)

    def should_stop(self, deadline: float | None) -> bool:
        """Whether a signal came, or the time `deadline` (of `time.monotonic`), in any of the processes."""
        return self.processes.any(self._stopped or (deadline is not None and time.monotonic() > deadline))

    @contextmanager
    def stopping_on_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the run after the step that is being computed."""

        def stop(number: int, frame: object) -> None:
            self._stopped = True

        try:
            before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread: whoever owns that handles signals
            before = {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
