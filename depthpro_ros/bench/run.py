# SPDX-License-Identifier: Apache-2.0
"""Runs parts one after another; prints and keeps what each has measured as soon as it is there."""

from __future__ import annotations

import logging
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from depthpro_ros.bench.document import DOCUMENT, RESULTS, write_document
from depthpro_ros.bench.parts import Part
from depthpro_ros.bench.provenance import checkout, device_words, provenance, slug
from depthpro_ros.bench.results import DeviceResults, PartResult, RunContext
from depthpro_ros.bench.tables import part_as_text
from depthpro_ros.models.loading import resolve_device


def run_parts(
    parts: Sequence[Part],
    output: Path,
    *,
    command: str,
    device: str = "auto",
    minutes: float = 5.0,
    weights: Path | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Measure, print and write <output>/<device>.json; in a checkout, docs/performance.md too.

    A part that fails is said with its traceback, keeps what an earlier run has measured, and does not keep the others
    from running.

    Args:
        parts: which, in this order.
        output: folder. A file of the same device is kept but for these parts.
        command: as the user gave it, to stand beside the figures.
        device: a torch device, or "auto".
        minutes: about how long all of it may measure.
        weights: Apple's, for the parts that can use them.
        say: prints a line.

    Returns:
        How many parts failed.

    Raises:
        InputError: the device cannot be used.
        DataError: there is a results file that is not ours.
    """
    chosen = str(resolve_device(device))
    if chosen.startswith("cuda"):
        # with its number, which some of torch's functions insist on
        chosen = chosen if ":" in chosen else f"{chosen}:{torch.cuda.current_device()}"
        torch.cuda.set_device(chosen)
    words = device_words(chosen)
    path = output / f"{slug(words)}.json"
    kept = _earlier(path, words)
    say(f"{words}; torch {torch.__version__}, {torch.get_num_threads()} threads; results go to {path}")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="depthpro_bench_") as folder, _quiet():
        for part in parts:
            say(f"\n{part.name}: {part.help}")
            seconds = 60 * minutes * part.share / sum(p.share for p in parts)
            context = RunContext(chosen, seconds, Path(folder), weights, say)
            result = _measured(part, context, command)
            if result is None:
                failed += 1
                continue
            say(part_as_text(result))
            kept = kept.with_part(result)
            output.mkdir(parents=True, exist_ok=True)
            _write_whole(path, kept.to_json())
    root = checkout()
    if root is not None and output.resolve() == (root / RESULTS).resolve():
        write_document(root)
        say(f"\n{DOCUMENT} is made anew")
    return failed


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warning, at each loading, that the bundled model knows only rendered scenes."""
    logger = logging.getLogger("depthpro_ros")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _measured(part: Part, context: RunContext, command: str) -> PartResult | None:
    origin = provenance(command)  # before the part, whose own load would count
    try:
        return replace(part.load()(context), provenance=origin)
    except Exception:  # said here and by the exit code; the other parts are still worth their time
        print(f"depthpro: error: part {part.name} failed:\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        return None


def _write_whole(path: Path, text: str) -> None:
    """All of it or nothing, since the file holds what took others minutes."""
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _earlier(path: Path, words: str) -> DeviceResults:
    """What is in the file already, under the machine's name of today."""
    if not path.is_file():
        return DeviceResults(words)
    return replace(DeviceResults.from_json(path.read_text(encoding="utf-8")), device=words)
