# SPDX-License-Identifier: Apache-2.0
"""What a person reads of an evaluation: a table, a page, and files for other programs.

Everything follows from a `ResultsFolder`, so that a report can be written again at any time.
"""

from __future__ import annotations

from depthpro_ros.evaluation.report.compare import Comparison, compare
from depthpro_ros.evaluation.report.criteria import Criterion, CriterionResult, check
from depthpro_ros.evaluation.report.headline import headline
from depthpro_ros.evaluation.report.write import write_report

__all__ = ["Comparison", "Criterion", "CriterionResult", "check", "compare", "headline", "write_report"]
