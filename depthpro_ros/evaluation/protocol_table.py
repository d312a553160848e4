# SPDX-License-Identifier: Apache-2.0
"""A published table with one's own results in it."""

from __future__ import annotations

from collections.abc import Mapping

from depthpro_ros.evaluation.protocol import LOWER_IS_BETTER, MetricName, Protocol

_ARROWS = {True: "↓", False: "↑"}
DIGITS = {"fraction": 3, "ratio": 3, "percent": 1, "cm": 2, "deg": 2}


def protocol_rows(
    protocol: Protocol, metric: MetricName, own: Mapping[str, Mapping[str, float]]
) -> tuple[list[str], list[list[str]]]:
    """Titles of columns, and rows: systems, then own rows, then the band; columns are the sets that have values.

    Args:
        own: by the name of each own run, values by set title, in the metric's unit; sets may be missing.

    Raises:
        InputError: an own value is of a set that the protocol does not have.
    """
    for values in own.values():
        for title in values:
            protocol.of(title)
    titles = [
        each.title
        for each in protocol.sets
        if any(metric in values for values in each.published.values())
        or any(metric in measurement.values for measurement in each.measured)
        or any(each.title in values for values in own.values())
    ]
    digits = DIGITS[protocol.metrics[metric]]
    unit = protocol.metrics[metric]
    head = f"{metric} {_ARROWS[metric in LOWER_IS_BETTER]}" + ("" if unit in ("fraction", "ratio") else f", {unit}")
    rows = []
    for system in protocol.systems:
        printed = [protocol.of(title).published.get(system, {}).get(metric, "") for title in titles]
        if any(value != "" for value in printed):
            rows.append([system, *(_shown(value, digits) for value in printed)])
    rows += [[name, *(_shown(values.get(title, ""), digits) for title in titles)] for name, values in own.items()]
    bands = [protocol.band(title, metric) for title in titles]
    if any(bands):
        shown = ["" if band is None else f"{band[0]:.{digits}f} to {band[1]:.{digits}f}" for band in bands]
        rows.append([f"expected of {protocol.headline_system}", *shown])
    return [head, *titles], rows


def protocol_table(protocol: Protocol, metric: MetricName, own: Mapping[str, Mapping[str, float]]) -> str:
    """What `protocol_rows` gives, as markdown with own rows in bold."""
    head, rows = protocol_rows(protocol, metric, own)
    bold = [[f"**{row[0]}**" if row[0] in own else row[0], *row[1:]] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *bold])


def _shown(value: float | str, digits: int) -> str:
    return value if isinstance(value, str) else f"{value:.{digits}f}"
