# SPDX-License-Identifier: Apache-2.0
"""Draw a run's validation figures: `python -m benchmarks.learning_curve out/train/nano/curve.jsonl -o PICTURE`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

SHOWN = {"delta1": "delta1, metric", "abs_rel_scaled": "abs_rel, median scale", "focal_within_25": "focal within 25 %"}


def validations(curve: Path) -> list[dict[str, Any]]:
    """The validation records of a run's curve, in order."""
    records = [json.loads(line) for line in curve.read_text().splitlines()]
    return [record for record in records if record["group"] == "validation"]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("curves", type=Path, nargs="+", help="curve.jsonl of one run, or of several one after another")
    parser.add_argument("-o", "--output", type=Path, required=True, help="picture to write")
    args = parser.parse_args()

    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    colours = dict(zip(SHOWN, ("tab:blue", "tab:orange", "tab:green"), strict=True))
    start = 0.0
    for curve in args.curves:
        records = validations(curve)
        for stage in dict.fromkeys(record["stage"] for record in records):
            its = [record for record in records if record["stage"] == stage]
            axes.axvline(start + its[0]["minutes"], color="0.85", linewidth=1)
            axes.text(start + its[0]["minutes"], 1.0, f" {stage}", fontsize=8, color="0.4", va="top")
            for name in SHOWN:
                points = [(start + record["minutes"], record[name]) for record in its if name in record]
                if points:
                    axes.plot(*zip(*points, strict=True), marker="o", markersize=3, color=colours[name])
        start += records[-1]["minutes"]
    for name, label in SHOWN.items():
        axes.plot([], [], marker="o", markersize=3, color=colours[name], label=label)
    axes.set_ylim(0, 1)
    axes.set_xlabel("minutes of training")
    axes.set_ylabel("validation scenes")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="lower center", ncol=3)
    figure.tight_layout()
    figure.savefig(args.output, dpi=110)
    print(args.output)


if __name__ == "__main__":
    main()
