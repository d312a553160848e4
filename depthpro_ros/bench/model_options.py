# SPDX-License-Identifier: Apache-2.0
"""The choices of `load_estimator` as one value, so that benchmarks can name and pass them on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from depthpro_ros.models import Estimator, load_estimator


@dataclass(frozen=True)
class ModelOptions:
    """See `load_estimator`; the defaults are its own."""

    precision: str = "auto"
    memory: str = "auto"
    resolution: str = "full"
    quantise: str = "off"
    accelerate: str = "auto"
    reuse_tiles: float = 0.0
    decoding: str = "argmax"

    def load(self, model: str | Path, device: str) -> Estimator:
        """The model with these choices.

        Raises:
            InputError: this device or this model cannot do it.
            WeightsError: the weights cannot be used.
        """
        return load_estimator(model, device=device, **asdict(self))
