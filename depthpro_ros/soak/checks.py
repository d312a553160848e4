# SPDX-License-Identifier: Apache-2.0
"""What must hold of a soak, each with its figure."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from depthpro_ros.soak.records import Counts, Rest, Sample

MEMORY_GROWTH = 0.01
"""Greatest share by which memory may have grown after the warm-up."""
LATENCY_GROWTH = 0.25
"""The same of the latency, which whatever else runs on the machine disturbs."""
WARM_UP = 1 / 3
"""Share of the like phases that does not count; caches fill meanwhile, and each phase has been there."""
FEWEST = 4
"""Like phases after the warm-up that are needed to say anything."""


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Attributes:
        name: what it is.
        figure: what was found, in words.
        limit: what is allowed, in words.
        passed: whether it holds.
    """

    name: str
    figure: str
    limit: str
    passed: bool

    @property
    def text(self) -> str:
        """For users, one line."""
        return f"{'ok  ' if self.passed else 'FAIL'} {self.name}: {self.figure} (allowed: {self.limit})"


def settled(values: Sequence[float]) -> Sequence[float]:
    """Those after the warm-up."""
    return values[math.ceil(len(values) * WARM_UP) :]


def quarters(values: Sequence[float]) -> tuple[float, float]:
    """Medians of the first and the last quarter of what comes after the warm-up: like phases, robust to single ones."""
    after = settled(values)
    quarter = max(1, len(after) // 4)
    return statistics.median(after[:quarter]), statistics.median(after[-quarter:])


def growth(name: str, values: Sequence[float], unit: str, limit: float) -> Check:
    """That a value of the like phases has not grown.

    Args:
        name: of the value.
        values: in their order; the first `WARM_UP` of them do not count.
        unit: of the value.
        limit: greatest growth from the first to the last quarter, relative to the first.
    """
    allowed = f"+{limit:.0%}"
    if len(settled(values)) < FEWEST:
        return Check(name, f"{len(values)} values are too few to say", allowed, False)
    first, last = quarters(values)
    grown = last / first - 1
    return Check(name, f"{first:.1f} -> {last:.1f} {unit} ({grown:+.2%})", allowed, grown <= limit)


def constant(name: str, values: Sequence[int]) -> Check:
    """That a count of the like phases is always the same after the warm-up."""
    after = settled(values)
    if len(after) < FEWEST:
        return Check(name, f"{len(values)} values are too few to say", "constant", False)
    figure = f"{after[0]:.0f}" if min(after) == max(after) else f"{min(after):.0f} to {max(after):.0f}"
    return Check(name, figure, "constant", min(after) == max(after))


def not_more(name: str, values: Sequence[int]) -> Check:
    """That a count which goes up and down in the like phases has not gone up for good.

    Args:
        name: of the count.
        values: in their order; the first `WARM_UP` of them do not count.
    """
    after = settled(values)
    allowed = "as few in the last quarter as in the first"
    if len(after) < FEWEST:
        return Check(name, f"{len(values)} values are too few to say", allowed, False)
    quarter = len(after) // 4
    first, last = max(after[:quarter]), min(after[-quarter:])
    return Check(name, f"{min(after)} to {max(after)}, at the end {last}", allowed, last <= first)


def steady_memory(samples: Sequence[Sample]) -> Check:
    """That memory does not grow while nothing but the same image is served again and again.

    Args:
        samples: of that time.
    """
    values = [sample.footprint.private_mib for sample in samples]
    return growth("memory, serving the same image again and again", values, "MiB", MEMORY_GROWTH)


def all_accounted(samples: Sequence[Sample], final: Counts) -> Check:
    """That received = published + dropped + refused + idle + waiting + in progress, each second and at the end."""
    wrong = [sample for sample in samples if sample.counts.missing]
    parts = (
        f"{final.images_in} received = {final.frames_out} published + {final.dropped} dropped + "
        f"{final.refused} refused + {final.idle} without subscriber"
    )
    rest = "" if final.at_rest else f" + {final.waiting + final.in_progress} in progress"
    figure = f"{parts}{rest}; {final.missing} missing at the end, some at {len(wrong)} of {len(samples)} samples"
    return Check("every image accounted for", figure, "0 missing", not wrong and final.missing == 0 and final.at_rest)


def all_delivered(rests: Sequence[Rest]) -> Check:
    """That in the like phases every image sent was received, published, and got by the subscriber."""
    sent, answered = sum(rest.sent for rest in rests), sum(rest.answered for rest in rests)
    received, published = (sum(getattr(rest.counts, n) for rest in rests) for n in ("images_in", "frames_out"))
    return Check(
        "images of the like phases delivered",
        f"{sent} sent, {received} received, {published} published, {answered} got by the subscriber",
        "all equal, and some",
        len(rests) > 0 and sent > 0 and sent == received == published == answered,
    )


def none_refused_but_bad(refused: int, refused_elsewhere: int, bad: int) -> Check:
    """That images are refused where the load gives a reason, and nowhere else.

    Args:
        refused: by the node in all.
        refused_elsewhere: of these, in phases that give no reason.
        bad: images sent that cannot be served; those that were replaced before they were looked at are not refused.
    """
    return Check(
        "images refused",
        f"{refused}, {refused_elsewhere} of them in phases that give no reason; {bad} bad ones were sent",
        "some of the bad ones, none without reason",
        refused_elsewhere == 0 and (refused > 0 or bad == 0),
    )


def only_explained(log: str, explained: Sequence[str]) -> Check:
    """That the log has no error but those that the load means to bring about.

    Args:
        log: the node's whole output.
        explained: regular expressions for lines of errors that are meant to be.
    """
    errors = [line for line in log.splitlines() if re.search(r"\[(ERROR|FATAL)\]|^Traceback|^\w*Error\b", line)]
    unexplained = [line for line in errors if not any(re.search(pattern, line) for pattern in explained)]
    figure = f"{len(errors)} errors, {len(unexplained)} that the load does not explain"
    if unexplained:
        figure += f"; the first: {unexplained[0][:300]}"
    return Check("errors in the log", figure, "none but those that the load brings about", not unexplained)


def nothing_odd(name: str, complaints: Sequence[str], done: int) -> Check:
    """That the node answered as it must, whenever it was asked for something."""
    figure = f"{done} asked, {len(complaints)} answered wrongly" + (
        f"; the first: {complaints[0]}" if complaints else ""
    )
    return Check(name, figure, "none answered wrongly", not complaints and done > 0)


def of_rests(rests: Sequence[Rest]) -> list[Check]:
    """Everything that is said of like phases."""
    return [
        growth("memory, cleaned up", [rest.clean_mib for rest in rests], "MiB", MEMORY_GROWTH),
        not_more("threads", [rest.footprint.threads for rest in rests]),
        constant("open files", [rest.footprint.files for rest in rests]),
        constant("files in shared memory", [rest.footprint.shared_files for rest in rests]),
        growth("latency", [rest.latency_ms for rest in rests], "ms", LATENCY_GROWTH),
        all_delivered(rests),
    ]
