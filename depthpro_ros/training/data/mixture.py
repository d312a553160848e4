# SPDX-License-Identifier: Apache-2.0
"""Data sets mixed to the batches of optimiser steps, each made from its step's number alone."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from depthpro_ros.errors import InputError
from depthpro_ros.frames import FrameSet
from depthpro_ros.training.data import appearance
from depthpro_ros.training.data.augment import Change, PaperRates, Rates, crop, draw
from depthpro_ros.training.data.batch import Batch, DatasetKind, concatenate
from depthpro_ros.training.data.rota import Rota
from depthpro_ros.training.data.scenes import ASPECTS, SceneSet
from depthpro_ros.training.data.squash import squash

TRIES = 10
"""Frames that are tried for a sample before the run stops."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """A data set of a mixture.

    Attributes:
        data: frames or scenes.
        kind: what its depth is good for.
        weight: its share of the samples is its weight over the sum of all.
    """

    data: FrameSet | SceneSet
    kind: DatasetKind
    weight: float = 1.0


@dataclass(frozen=True)
class _Sample:
    """One image to be made: its random numbers, what is changed, and its place in its data set."""

    rng: np.random.Generator
    change: Change
    position: int


class StepData(Dataset[Batch]):
    """The batches of one stage of a run, by step.

    A batch depends on the arguments here and on the step, and on nothing else, so that it does not matter who
    makes it: `DataLoader(StepData(...), batch_size=None, sampler=range(first_step, last_step), num_workers=n)`
    gives the same batches for any n, and a run that was stopped goes on with the data that it would have seen.
    (Scenes rendered on a CPU differ by one grey level in one of 100,000 values between one thread, which workers
    have, and several.) Every frame of a data set is seen once before any is seen again.

    Args:
        sources: what is mixed, at least one.
        size_px: width and height of the images, which are squashed to squares.
        batch: images of one step in this process.
        rates: how often images are changed.
        seed: of the run; another gives other scenes, orders and changes.
        stage: which part of the run; each has its own order.
        rank, world_size: of this process among those that share a step; each makes its part of the samples.

    Raises:
        InputError: no sources, an empty one, or a number out of range.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        size_px: int,
        batch: int,
        rates: Rates | None = None,
        seed: int = 0,
        stage: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if not sources:
            raise InputError("there is no data set to train on: name at least one")
        for source in sources:
            if not (math.isfinite(source.weight) and source.weight > 0):
                raise InputError(f"data set {source.data.name} has weight {source.weight}, expected a number above 0")
            if not isinstance(source.data, SceneSet) and len(source.data) == 0:
                raise InputError(f"data set {source.data.name} is empty: check its path, or leave it out")
        if batch < 1 or size_px < 1 or seed < 0 or stage < 0 or not 0 <= rank < world_size:
            raise InputError(
                f"batch {batch}, size_px {size_px}, seed {seed}, stage {stage}, rank {rank} of {world_size}: expected "
                "sizes of at least 1, numbers of at least 0, and a rank below world_size"
            )
        self._sources, self._size_px, self._batch = tuple(sources), size_px, batch
        self._rates: Rates = PaperRates() if rates is None else rates
        self._key = (seed, stage)
        self._rank, self._world_size = rank, world_size
        self._rota = Rota([source.weight for source in sources], self._key)

    def loader(
        self, steps: range, workers: int, device: torch.device, generator: torch.Generator | None = None
    ) -> DataLoader[Batch]:
        """The batches of these steps, in order.

        Args:
            steps: which.
            workers: processes that make them; 0 is this one.
            device: that they will be brought to.
            generator: each start of a loader draws a number from it, or from torch's own.
        """
        return DataLoader(
            self,
            batch_size=None,  # a whole batch is made at once
            sampler=steps,
            num_workers=workers,
            prefetch_factor=4 if workers else None,
            pin_memory=device.type == "cuda" and workers > 0,
            generator=generator,
        )

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step, its images grouped by data set.

        Raises:
            InputError: `TRIES` frames in a row of a data set could not be used.
        """
        samples: dict[int, list[_Sample]] = {}
        for place in range(self._batch):
            number = (step * self._world_size + self._rank) * self._batch + place
            source, position = self._rota.sample(number)
            rng = np.random.default_rng([*self._key, 2, number])
            samples.setdefault(source, []).append(_Sample(rng, draw(rng, self._rates), position))
        aspect = float(np.random.default_rng([*self._key, 3, step]).choice(ASPECTS))
        parts: list[Batch] = []
        changes: list[Change] = []
        for index in sorted(samples):
            data, wanted = self._sources[index].data, samples[index]
            if isinstance(data, SceneSet):
                seeds = [int(sample.rng.integers(2**48)) for sample in wanted]
                shares = [sample.change.share for sample in wanted]
                kind = self._sources[index].kind
                parts.append(data.batch(seeds, self._size_px, aspect=aspect, shares=shares, kind=kind))
            else:
                parts.extend(self._usable(index, data, sample) for sample in wanted)
            changes.extend(sample.change for sample in wanted)
        device = next((part.rgb.device for part in parts if part.rgb.device.type != "cpu"), parts[0].rgb.device)
        return appearance.apply(concatenate([part.to(device) for part in parts]), changes)

    def _usable(self, source: int, data: FrameSet, sample: _Sample) -> Batch:
        """The frame of a sample, cropped and squashed; another of the same data set where it cannot be used."""
        index = self._rota.frame(source, sample.position, len(data))
        problem = ""
        for tried in range(TRIES):
            try:
                frame = crop(data.frame(index), sample.change.share)
                made = squash(frame, self._size_px, self._sources[source].kind)
                if bool(made.valid.any()):
                    return replace(made, replaced=tried)
                problem = "it has no valid depth where it is seen"
            except (InputError, OSError) as error:
                problem = str(error)
            logger.warning("frame %d of %s is replaced by another: %s", index, data.name, problem)
            index = int(sample.rng.integers(len(data)))
        raise InputError(f"{TRIES} frames of {data.name} in a row could not be used, the last since: {problem}")
