# SPDX-License-Identifier: Apache-2.0
"""The results of a soak: files in its folder, and docs/soak.md."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from depthpro_ros import __version__
from depthpro_ros.errors import DataError
from depthpro_ros.machine import machine
from depthpro_ros.soak.load import PHASES
from depthpro_ros.soak.plan import Leg, Plan
from depthpro_ros.soak.plot import plot
from depthpro_ros.soak.records import write_csv

JSON, CSV, PLOT = "soak.json", "soak.csv", "soak.png"
DOCUMENT, DOCUMENT_PLOT = Path("docs/soak.md"), Path("docs/images/soak.png")
"""Relative to the repository."""
WARNING = "<!-- Made by `depthpro soak --docs` from the results of a soak: run that instead of editing this. -->"
ABOUT = """\
# Soak

`make soak` runs the real node in a process of its own, with the small bundled model unless told otherwise, under a load
that a seed decides, and looks at the process once a second. The load is made of phases in a random order: {phases}.
Between them comes one phase that is always the same: 640x480 images, each sent once the one before is answered, to a
subscriber of depth and cloud that is there all the time. Memory, threads, files and latency are compared among these
like phases only, the first quarter of those after the warm-up (a third of all) with the last, by medians.

Memory is what the process has of its own (anonymous memory), each time the node was cleaned up after a like phase: then
nothing is left that it could give back. What the heap of an active node keeps of large messages is more or less,
depending on where they happened to lie; so an active node is judged in a phase of its own at the end, a fifth of the
time, in which the same image is served again and again. The shared memory of the middleware is mapped by everybody who
listens, has a fixed size, and is touched little by little: its files are counted.

Before all this, a subscriber that takes no message has been there for a while. The middleware keeps the memory of as
many messages of each output as were ever on their way at once, at most what its queue holds: from then on it has all
that it will ever want, where else it would get there little by little.

A thread that computes has helpers as long as it lives, and the node's threads are new after each activation: their
count goes up and down, and must not go up for good.
"""


def write_results(folder: Path, plan: Plan, legs: Sequence[Leg], command: str, date: str) -> None:
    """Write soak.json, soak.csv and soak.png.

    Args:
        folder: is there already.
        plan: what was to be done.
        legs: what became of it.
        command: that was run.
        date: when it was begun, in words.
    """
    results: dict[str, Any] = {
        "command": command,
        "date": date,
        "machine": machine(),
        "package": __version__,
        "plan": dataclasses.asdict(plan) | {"command": None},
        "legs": [
            {
                "transport": leg.transport,
                "ended": leg.ended,
                "seconds": leg.samples[-1].time_s - leg.samples[0].time_s if leg.samples else 0.0,
                "phases": leg.phases,
                "load": sum(s.load for s in leg.samples) / max(1, len(leg.samples)),
                "checks": [dataclasses.asdict(check) for check in leg.checks],
                "like_phases": [dataclasses.asdict(rest) for rest in leg.rests],
            }
            for leg in legs
        ],
    }
    (folder / JSON).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_csv(folder / CSV, [sample for leg in legs for sample in leg.samples])
    plot(legs, folder / PLOT)


def document(results: dict[str, Any]) -> str:
    """docs/soak.md, from what soak.json holds."""
    phases = [name if name != "lifecycle" else "lifecycle cycles" for name in PHASES]
    about = ABOUT.format(phases=", ".join(phases[:-1]) + " and " + phases[-1])
    made = (
        f"<sub>{results['date']}, `{results['command']}`; {results['machine']}; package {results['package']}; seed "
        f"{results['plan']['seed']}.</sub>"
    )
    tables = "\n\n".join(map(_leg, results["legs"]))
    picture = f"![Memory, latency, threads, files and images over time](images/{PLOT})"
    return f"{WARNING}\n{about}\n{picture}\n\n{tables}\n\n{made}\n"


def _leg(leg: dict[str, Any]) -> str:
    rows = [
        f"| {check['name']} | {check['figure']} | {check['limit']} | {'yes' if check['passed'] else '**no**'} |"
        for check in leg["checks"]
    ]
    head = (
        f"## {leg['transport'].capitalize()} images\n\n{leg['seconds'] / 60:.1f} minutes, {leg['phases']} phases; "
        f"{leg['load']:.1f} processes wanted a processor on average.\n"
    )
    return "\n".join([head, "| what | found | allowed | holds |", "|---|---|---|---|", *rows])


def write_document(folder: Path, root: Path) -> Path:
    """Make docs/soak.md and its picture of a folder's results; the page's path.

    Args:
        folder: of the results.
        root: of the repository.

    Raises:
        DataError: there are no results.
    """
    try:
        results = json.loads((folder / JSON).read_text(encoding="utf-8"))
        text = document(results)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder / JSON} cannot be read ({error}): run `depthpro soak` first") from error
    (root / DOCUMENT).write_text(text, encoding="utf-8")
    os.makedirs((root / DOCUMENT_PLOT).parent, exist_ok=True)
    shutil.copyfile(folder / PLOT, root / DOCUMENT_PLOT)
    return root / DOCUMENT
