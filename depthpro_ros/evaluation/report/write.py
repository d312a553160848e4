# SPDX-License-Identifier: Apache-2.0
"""Write everything that follows from the records of an evaluation."""

from __future__ import annotations

import json
from collections.abc import Sequence

from depthpro_ros.evaluation.report.columns import Columns
from depthpro_ros.evaluation.report.criteria import CriterionResult
from depthpro_ros.evaluation.report.headline import markdown
from depthpro_ros.evaluation.report.page import write_page
from depthpro_ros.evaluation.report.per_frame import write_per_frame
from depthpro_ros.evaluation.report.sections import ordered
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.summary import Summary, summarise


def write_report(folder: ResultsFolder, criteria: Sequence[CriterionResult] = ()) -> Summary:
    """Write summary.json, per_frame.csv, report.md and, last, report.html into the folder.

    Records are read twice, one at a time; of each only numbers are kept.

    Args:
        criteria: what became of the criteria (see `check`); they are shown and recorded.

    Raises:
        InputError: the folder holds no evaluation.
    """
    run, live = folder.run(), folder.live()
    columns = Columns()
    summary = summarise(run, columns.watch(folder.records()), live)
    value = {**summary.to_json(), "criteria": [result.to_json() for result in criteria]}
    (folder.path / "summary.json").write_text(
        json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    names = ordered(columns.figures, run.settings.alignments)
    write_per_frame(folder.path / "per_frame.csv", folder.records(), names)
    (folder.path / "report.md").write_text(markdown(summary, criteria), encoding="utf-8")
    write_page(folder, summary, columns, criteria)
    return summary
