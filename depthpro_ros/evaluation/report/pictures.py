# SPDX-License-Identifier: Apache-2.0
"""Which frames the page shows, and how their pictures travel in it."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.evaluation.report.columns import Columns
from depthpro_ros.evaluation.results.figures import aligned, figure
from depthpro_ros.evaluation.results.thumbnail import Thumbnail

MOST_FRAMES = 500
WORST, MIDDLE, BEST, EVENLY = 5, 3, 3, 8
NO_TRUTH = "-"


@dataclass(frozen=True)
class Group:
    """Frames that are shown together.

    Attributes:
        title: why these.
        places: rows of `Columns`.
    """

    title: str
    places: tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """Which frames the page shows.

    Attributes:
        ranked_by: the figure that says which frames are good; empty without scores.
        gallery: groups of frames, shown one below the other.
        places: of all frames whose picture is in the page, in order: rows of `Columns`.
        first: the frame to begin with; None without pictures.
    """

    ranked_by: str
    gallery: tuple[Group, ...]
    places: tuple[int, ...]
    first: int | None


def choose(columns: Columns, pictured: Sequence[int], alignment: str, most: int = MOST_FRAMES) -> Choice:
    """Choose from the frames whose pictures were kept.

    Args:
        pictured: numbers (`FrameRecord.index`) of these frames.
        alignment: of the headline.
        most: how many pictures the page holds; those of the gallery, and others, evenly spread.
    """
    kept = set(pictured)
    there = [k for k, index in enumerate(columns.index) if index in kept and not columns.skipped[k]]
    name, ranked = _ranked(columns, there, alignment)
    if ranked:
        groups = _extremes(ranked, figure(name).title)
        first: int | None = groups[1].places[0]
    else:
        groups = (Group("frames at even distances", tuple(_evenly(there, EVENLY))),) if there else ()
        first = there[0] if there else None
    shown = {place for group in groups for place in group.places}
    others = [k for k in there if k not in shown]
    shown.update(_evenly(others, most - len(shown)))
    return Choice(name, groups, tuple(sorted(shown)), first)


def encode(picture: Thumbnail) -> str:
    """A picture as text that may stand in HTML: sizes and camera, then JPEG and depths in base 64.

    Words, separated by spaces: width height fx fy cx cy step jpeg predicted truth; `-` for no truth.
    """
    height, width = picture.predicted.shape
    camera = (f"{value:.9g}" for value in (*picture.focal, picture.step))
    truth = NO_TRUTH if picture.truth is None else _base64(pack(picture.truth))
    return " ".join([str(width), str(height), *camera, _base64(picture.jpeg), _base64(pack(picture.predicted)), truth])


def pack(codes: NDArray[np.uint16]) -> bytes:
    """Depth codes [h, w], compressed.

    Each code less what its neighbours to the left, above and between them foretell (left + above - between), modulo
    2^16, sign in the lowest bit; all low bytes, then all high bytes; zlib. Two running sums in the browser undo it.
    """
    rest = np.diff(codes, axis=1, prepend=np.uint16(0))
    rest = np.diff(rest, axis=0, prepend=np.uint16(0)).view(np.int16)
    unsigned = ((rest << 1) ^ (rest >> 15)).view(np.uint16)
    return zlib.compress((unsigned & 255).astype(np.uint8).tobytes() + (unsigned >> 8).astype(np.uint8).tobytes(), 6)


def _ranked(columns: Columns, there: Sequence[int], alignment: str) -> tuple[str, list[int]]:
    """By the first figure that any of the frames has: its name, and the frames that have it, the worst first."""
    for name in (aligned("abs_rel", alignment), "boundary_f1", "boundary_recall"):
        values = columns.figure(name)
        known = [k for k in there if not math.isnan(values[k])]
        if known:
            sign = -1 if figure(name).better == "lower" else 1
            return name, sorted(known, key=lambda k: sign * values[k])
    return "", []


def _extremes(ranked: list[int], title: str) -> tuple[Group, ...]:
    """The worst, the middle and the best; a frame is in one group only."""
    count = len(ranked)
    worst = ranked[: min(WORST, max(1, count // 3))]
    best = ranked[max(len(worst), count - min(BEST, count // 3)) :]
    between = ranked[len(worst) : count - len(best)] or worst
    start = max(0, (len(between) - MIDDLE) // 2)
    return (
        Group(f"worst by {title}", tuple(worst)),
        Group(f"middle by {title}", tuple(between[start : start + MIDDLE])),
        Group(f"best by {title}", tuple(best[::-1])),
    )


def _evenly(places: Sequence[int], most: int) -> list[int]:
    if len(places) <= most:
        return list(places)
    return [places[round(k)] for k in np.linspace(0, len(places) - 1, max(most, 0))]


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
