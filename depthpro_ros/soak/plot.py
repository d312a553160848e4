# SPDX-License-Identifier: Apache-2.0
"""A picture of a soak: memory, latency, threads and files, and what became of the images."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from depthpro_ros.errors import InputError
from depthpro_ros.soak.plan import Leg
from depthpro_ros.soak.records import Sample

FATES = ("frames_out", "dropped", "idle", "refused")
FATES_WORDS = ("published", "dropped", "no subscriber", "refused")


def plot(legs: Sequence[Leg], path: Path) -> None:
    """Write the picture, as PNG; of nothing, nothing is written.

    Args:
        legs: the processes, side by side in time.
        path: of the file.

    Raises:
        InputError: matplotlib is not installed.
    """
    legs = [leg for leg in legs if leg.samples]
    if not legs:
        return
    try:
        import matplotlib
    except ImportError as error:
        raise InputError("the plot needs matplotlib: pip install 'depthpro_ros[soak]'") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    figure, axes = pyplot.subplots(4, 1, figsize=(9, 10), sharex=True, layout="constrained")
    for leg in legs:
        _memory(axes[0], leg)
        _latency(axes[1], leg)
        _handles(axes[2], leg)
        _fates(axes[3], leg.samples)
    for axis in axes:
        axis.set_ylim(bottom=0)
        for before, after in itertools.pairwise(legs):
            axis.axvline((before.samples[-1].time_s + after.samples[0].time_s) / 60 / 2, color="0.6", lw=0.8, ls="--")
        # one entry for each name, though there are several processes
        entries = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
        axis.legend(entries.values(), entries.keys(), fontsize="x-small", loc="best", ncols=2)
    axes[0].set_title(
        "; then ".join(f"{leg.transport} images" for leg in legs) + " (dots: like phases)", fontsize="medium"
    )
    axes[-1].set_xlabel("minutes")
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def _minutes(samples: Sequence[Any]) -> list[float]:
    return [sample.time_s / 60 for sample in samples]


def _memory(axis: Any, leg: Leg) -> None:
    minutes = _minutes(leg.samples)
    axis.plot(minutes, [s.footprint.rss_mib for s in leg.samples], color="C7", lw=0.8, label="RSS, with shared memory")
    axis.plot(minutes, [s.footprint.private_mib for s in leg.samples], color="C0", lw=0.8, label="of its own")
    axis.plot(_minutes(leg.rests), [r.clean_mib for r in leg.rests], "o-", color="C1", ms=3, lw=0.8, label="cleaned up")
    axis.set_ylabel("memory, MiB")


def _latency(axis: Any, leg: Leg) -> None:
    minutes = _minutes(leg.samples)
    axis.plot(minutes, [s.latency_ms for s in leg.samples], color="C7", lw=0.8, label="as the node says, all phases")
    axis.plot(
        _minutes(leg.rests), [r.latency_ms for r in leg.rests], "o-", color="C1", ms=3, lw=0.8, label="round trip"
    )
    axis.plot(
        _minutes(leg.rests), [r.cpu_ms for r in leg.rests], ".-", color="C2", ms=3, lw=0.8, label="processor time"
    )
    axis.set_ylabel("a frame, ms")


def _handles(axis: Any, leg: Leg) -> None:
    minutes = _minutes(leg.samples)
    axis.plot(minutes, [s.footprint.threads for s in leg.samples], color="C3", lw=0.8, label="threads")
    axis.plot(minutes, [s.footprint.files for s in leg.samples], color="C4", lw=0.8, label="open files")
    axis.set_ylabel("count")


def _fates(axis: Any, samples: Sequence[Sample]) -> None:
    values = [[getattr(sample.counts, name) for sample in samples] for name in FATES]
    axis.stackplot(_minutes(samples), values, labels=FATES_WORDS, colors=("C0", "C1", "C7", "C3"), lw=0)
    axis.set_ylabel("images")
