# SPDX-License-Identifier: Apache-2.0
"""What a person sees of a run: a progress bar, TensorBoard, and the learning curve as JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError


class Monitor:
    """Records a run; does nothing in processes that do not lead.

    Args:
        folder: for TensorBoard's event files and `curve.jsonl`.
        leads: whether this process writes.
        first_step: steps done by earlier starts: what a killed run recorded after its checkpoint is dropped.

    Raises:
        InputError: tensorboard or tqdm is not installed.
    """

    def __init__(self, folder: Path, leads: bool, first_step: int) -> None:
        self._leads = leads
        if not leads:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
            from tqdm import tqdm
        except ImportError as error:
            raise InputError("training needs tensorboard and tqdm: pip install 'depthpro_ros[train]'") from error
        self._tqdm = tqdm
        self._bar: tqdm | None = None
        self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=first_step)
        self._curve = folder / "curve.jsonl"
        if self._curve.exists():
            kept = [line for line in self._curve.read_text().splitlines() if _step_of(line) <= first_step]
            self._curve.write_text("".join(line + "\n" for line in kept))

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._leads:
            self.end_stage()
            self._writer.close()

    def start_stage(self, name: str, done: int, steps: int) -> None:
        """Begin a stage's progress bar."""
        if self._leads:
            self._bar = self._tqdm(total=steps, initial=done, desc=name, unit="step", mininterval=2.0)

    def end_stage(self) -> None:
        """End the progress bar."""
        if self._leads and self._bar is not None:
            self._bar.close()
            self._bar = None

    def step(self, loss: float, images_per_s: float) -> None:
        """One optimiser step is done."""
        if self._leads and self._bar is not None:
            self._bar.set_postfix({"loss": f"{loss:.4f}", "img/s": f"{images_per_s:.1f}"}, refresh=False)
            self._bar.update()

    def figures(self, group: str, step: int, values: dict[str, float], stage: str, spent_s: float) -> None:
        """Record figures at a step counted over all stages."""
        if not self._leads:
            return
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)
        record = {"step": step, "stage": stage, "group": group, "minutes": round(spent_s / 60, 3)}
        with self._curve.open("a") as file:
            file.write(json.dumps(record | {k: round(v, 6) for k, v in values.items()}) + "\n")

    def picture(self, name: str, step: int, rgb: NDArray[np.uint8]) -> None:
        """Record a picture, uint8 [H, W, 3]."""
        if self._leads:
            self._writer.add_image(name, rgb, step, dataformats="HWC")

    def say(self, text: str) -> None:
        """A line above the progress bar."""
        if self._leads:
            self._tqdm.write(text)


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        # a line that a killed run left half written
        return float("inf")
