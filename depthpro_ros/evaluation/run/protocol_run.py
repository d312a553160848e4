# SPDX-License-Identifier: Apache-2.0
"""Evaluate a model on the sets of a published table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.protocol import Protocol
from depthpro_ros.evaluation.report import CriterionResult, check, write_report
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.run.dataset_options import frames_identity
from depthpro_ros.evaluation.run.dataset_source import DatasetSource
from depthpro_ros.evaluation.run.describe import describe
from depthpro_ros.evaluation.run.frames import Predictor
from depthpro_ros.evaluation.run.predictors import FocalChoice, PipelinePredictor, model_info
from depthpro_ros.evaluation.run.prepared import AlignedCornersPredictor, PreparedSource
from depthpro_ros.evaluation.run.protocol_page import FILES, ProtocolPage
from depthpro_ros.evaluation.run.protocol_results import (
    BOUNDARY_METRICS,
    FOCAL_LIMITS,
    SetResult,
    measure,
    unknown_focals,
)
from depthpro_ros.evaluation.run.protocol_sets import FoundSet, MissingSet
from depthpro_ros.evaluation.run.protocol_settings import (
    FOCAL_NAMES,
    ProtocolSettings,
    check_model,
    focal_choices,
    preparation_of,
    scorer_of,
)
from depthpro_ros.evaluation.run.runner import evaluate
from depthpro_ros.evaluation.run.scoring import FrameScorer
from depthpro_ros.models.estimator import Estimator


@dataclass(frozen=True)
class PlannedRun:
    """One set with one choice of the focal length, and the folder that was begun for it."""

    found: FoundSet
    focal: FocalChoice
    row: str
    scorer: FrameScorer
    folder: ResultsFolder


class ProtocolRun:
    """Evaluations of one model on the sets of a protocol.

    Args:
        name: of the protocol.
        protocol: how each set is evaluated.
        estimator: the model.
        settings: what the protocol does not say.

    Raises:
        InputError: a focal length is asked for that is not the protocol's, or the model's depth is up to scale and the
            protocol's figures are of metres.
    """

    def __init__(self, name: str, protocol: Protocol, estimator: Estimator, settings: ProtocolSettings) -> None:
        self._name, self._protocol, self._settings = name, protocol, settings
        self._estimator, self._model = estimator, model_info(estimator, settings.decoding)
        check_model(protocol, self._model)
        self._focals = focal_choices(protocol, settings)

    def run(
        self,
        found: Sequence[FoundSet],
        missing: Sequence[MissingSet],
        output: Path,
        *,
        force: bool = False,
        resume: bool = False,
    ) -> ProtocolPage:
        """Evaluate one set after the other, and write table.md and table.json after each.

        All folders are begun before anything is computed, so that what does not fit is found at once.

        Args:
            found, missing: from `find_sets`.
            output: gets a folder with a report for each set.
            force, resume: see `ResultsFolder.create`.

        Raises:
            InputError: there are results, and neither was asked for; or they were made in another way.
        """
        if not (force or resume) and any((output / file).exists() for file in FILES):
            raise InputError(f"{output} holds a table: give --force to replace it, or --resume to go on with it")
        runs = [self._begin(each, focal, output, force, resume) for each in found for focal in self._focals]
        results: list[SetResult] = []
        page = self._page(runs, results, missing)
        for run in runs:
            interrupted = not self._evaluate(run)
            results.append(self._result(run))
            page = self._page(runs, results, missing, interrupted)
            page.write(output)
            if interrupted:
                break
        return page

    def _begin(self, found: FoundSet, focal: FocalChoice, output: Path, force: bool, resume: bool) -> PlannedRun:
        scorer = scorer_of(self._protocol, found.column, self._settings, metric=self._model.metric)
        info = describe(
            "dataset",
            f"{found.column.title} ({self._name})",
            self._settings.command,
            scorer,
            model=self._model,
            focal=focal,
            frames=self._settings.selection.label,
            extra=self._extra(found),
            notes=[note for note in (found.column.note, *self._protocol.notes) if note],
        )
        second = len(self._focals) > 1 and focal == "estimated"
        path = output / (f"{found.folder}-estimated_focal" if second else found.folder)
        row = ", ".join(part for part in (self._model.name, self._model.decoding) if part)
        if self._protocol.focal != "irrelevant":
            row += f", {FOCAL_NAMES[focal]}"
        return PlannedRun(found, focal, row, scorer, ResultsFolder.create(path, info, force=force, resume=resume))

    def _evaluate(self, run: PlannedRun) -> bool:
        """Whether it was done; False if the user interrupted."""
        column = run.found.column
        source = PreparedSource(DatasetSource(run.found.dataset, self._settings.selection), preparation_of(column))
        print(f"{column.title}, {run.row}: {source.total} images", file=sys.stderr)
        warning = column.count_warning(source.total)
        if warning and run.focal == self._focals[0]:
            print(f"depthpro: warning: {warning}", file=sys.stderr)
        estimate = self._settings.estimate or any(metric in FOCAL_LIMITS for metric in self._protocol.metrics)
        # photographs: the focal length of one says nothing of the next one's
        predictor: Predictor = PipelinePredictor(self._estimator, run.focal, estimate=estimate, steady=False)
        if column.aligned_corners:
            predictor = AlignedCornersPredictor(predictor)
        try:
            evaluate(source, predictor, run.scorer, run.folder)
        except KeyboardInterrupt:
            return False
        return True

    def _page(
        self,
        runs: Sequence[PlannedRun],
        results: Sequence[SetResult],
        missing: Sequence[MissingSet],
        interrupted: bool = False,
    ) -> ProtocolPage:
        return ProtocolPage(
            self._name,
            self._protocol,
            self._model,
            self._settings.command,
            tuple(results),
            tuple(missing),
            tuple(f"{run.found.column.title}, {run.row}" for run in runs[len(results) :]),
            self._settings.criteria,
            interrupted,
        )

    def _result(self, run: PlannedRun) -> SetResult:
        criteria: tuple[CriterionResult, ...] = ()
        if self._settings.criteria:
            summary = run.folder.summary()
            # a set that does not have a figure cannot answer for it
            criteria = check([asked for asked in self._settings.criteria if asked.name in summary.figures], summary)
        summary = write_report(run.folder, criteria)
        metric = self._protocol.focal != "irrelevant" and run.focal != "estimated"
        return SetResult(
            run.found.column,
            run.row,
            run.folder.path,
            run.found.dataset.root,
            summary,
            measure(self._protocol, run.found.column, run.folder, summary),
            criteria,
            unknown_focals(run.folder.records()) if metric else 0,
        )

    def _extra(self, found: FoundSet) -> dict[str, str]:
        """What must be equal to compare, beside the usual."""
        extra = {
            "protocol": f"{self._name}, {self._protocol.source}",
            **frames_identity(found.dataset, found.options, self._settings.selection),
            "preparation": preparation_of(found.column).label,
            "prediction resized": "bilinearly, with aligned corners" if found.column.aligned_corners else "bilinearly",
        }
        if any(metric in BOUNDARY_METRICS for metric in self._protocol.metrics):
            masked = self._protocol.masked_boundaries
            extra["boundaries"] = "where ground truth is known" if masked else "as the published code, without a mask"
        return {key: value for key, value in extra.items() if value}
