# SPDX-License-Identifier: Apache-2.0
"""What `depthpro evaluate dataset` knows: protocols, their sets, and data sets."""

from __future__ import annotations

import textwrap

from depthpro_ros.cli.evaluate.dataset import protocol_modules
from depthpro_ros.evaluation.datasets import DATASETS
from depthpro_ros.evaluation.run.dataset_options import option_help


def listing() -> str:
    """Protocols with their sets, then data sets with their options."""
    protocol_modules()
    from depthpro_ros.evaluation.protocol import protocol_names, read_protocol
    from depthpro_ros.evaluation.report.table import Table
    from depthpro_ros.evaluation.run.protocol_sets import folder_names

    parts = ["Protocols. Each set is looked for in ROOT/FOLDER."]
    for name in protocol_names():
        protocol = read_protocol(name)
        folders = folder_names(protocol)
        rows = tuple((each.title, folders[each.title], each.dataset, str(each.images or "?")) for each in protocol.sets)
        metrics = ", ".join(protocol.metrics)
        parts.append(f"{name}: {protocol.title} ({protocol.source})\n  {metrics}; alignment {protocol.alignment}")
        table = Table(("set", "FOLDER", "data set", "images"), rows, words=3)
        parts.append(textwrap.indent(table.as_text(), "  "))
    sets = tuple((name, option_help(name)) for name in DATASETS)
    parts += ["Data sets. --tree NAME shows the folder.", Table(("data set", "options"), sets, words=2).as_text()]
    return "\n\n".join(parts)


def tree(name: str) -> str:
    """The folder that a data set must be in, and its options.

    Args:
        name: of a data set, or the title of a set in a bundled protocol.

    Raises:
        InputError: neither.
    """
    dataset = name
    if name not in DATASETS:
        protocol_modules()
        from depthpro_ros.evaluation.run.protocol_sets import dataset_of

        dataset = dataset_of(name)
    options = option_help(dataset)
    return "\n".join([DATASETS[dataset].tree.strip(), *([f"options: {options}"] if options else [])])
