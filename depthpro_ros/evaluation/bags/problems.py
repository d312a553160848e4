# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a recording, said plainly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ProblemKind = Literal[
    "cut_off",
    "damaged",
    "no_metadata",
    "bad_metadata",
    "missing_file",
    "missing_messages",
    "empty",
    "unsorted",
    "clock_jump",
    "gap",
    "no_stamp",
]


@dataclass(frozen=True)
class Problem:
    """Something about a recording that a reader of its results should know.

    Attributes:
        kind: for programs.
        text: for people; names the file or topic.
        topic: empty where it concerns the whole recording.
        count: how many times, or how many messages.
    """

    kind: ProblemKind
    text: str
    topic: str = ""
    count: int = 1
