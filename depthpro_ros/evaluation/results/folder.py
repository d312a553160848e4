# SPDX-License-Identifier: Apache-2.0
"""The folder that an evaluation writes to: records as they come, so that what was done is never lost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.results.live import LiveSummary
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.results.run_info import RunInfo
from depthpro_ros.evaluation.results.summary import Summary, summarise
from depthpro_ros.evaluation.results.thumbnail import Thumbnail

OWN = ("run.json", "frames.jsonl", "live.json", "summary.json", "per_frame.csv", "report.md", "report.html")


class ResultsFolder:
    """Reads and writes one evaluation.

    `run.json` says how it was made, `frames.jsonl` has a line for each frame, `thumbnails/` the pictures that the
    report shows. Everything else follows from these.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, run: RunInfo, *, force: bool = False, resume: bool = False) -> ResultsFolder:
        """Begin an evaluation, or go on with one.

        Args:
            path: the folder.
            run: how results are made.
            force: remove the results of an earlier evaluation there; nothing else is touched.
            resume: go on with an earlier evaluation, which must have been made with the same settings and source.

        Raises:
            InputError: there are results, and neither was asked for; or they were made in another way.
        """
        folder = cls(path)
        there = [name for name in OWN if (path / name).exists()]
        if there and not (force or resume):
            raise InputError(f"{path} holds an evaluation: give --force to replace it, or --resume to go on with it")
        path.mkdir(parents=True, exist_ok=True)
        if resume and "run.json" in there:
            before = folder.run()
            if (before.kind, before.source) != (run.kind, run.source):
                raise InputError(f"{path} is of {before.kind} {before.source}, not of {run.kind} {run.source}")
            if before.settings != run.settings or before.model != run.model:
                raise InputError(f"{path} was made with other settings or another model: choose another folder")
            folder._drop_half_line()
        else:
            folder._clear(there)
        (path / "run.json").write_text(json.dumps(run.to_json(), indent=2) + "\n", encoding="utf-8")
        return folder

    def run(self) -> RunInfo:
        """How the results were made.

        Raises:
            InputError: this is no folder with results.
        """
        try:
            return RunInfo.from_json(json.loads((self.path / "run.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self.path} holds no evaluation that can be read: {error}") from error

    def records(self) -> Iterator[FrameRecord]:
        """All frames, in the order of evaluation; a last line that was cut off is left out.

        Raises:
            InputError: a line that is no record.
        """
        path = self.path / "frames.jsonl"
        if not path.exists():
            return
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith("\n"):
                    return
                try:
                    yield FrameRecord.from_line(line)
                except (ValueError, KeyError, TypeError) as error:
                    raise InputError(f"{path} line {number} is no record: {error}") from error

    def add(self, record: FrameRecord, thumbnail: Thumbnail | None = None) -> None:
        """Write one frame, whole or not at all; its picture goes first."""
        if thumbnail is not None:
            (self.path / "thumbnails").mkdir(exist_ok=True)
            thumbnail.save(self._thumbnail(record.index))
        with (self.path / "frames.jsonl").open("a", encoding="utf-8") as file:
            file.write(record.to_line() + "\n")

    def thumbnail(self, index: int) -> Thumbnail | None:
        """A frame's picture; None where none was kept."""
        path = self._thumbnail(index)
        return Thumbnail.load(path) if path.exists() else None

    def pictured(self) -> list[int]:
        """Numbers of the frames whose pictures were kept."""
        return sorted(int(path.stem) for path in (self.path / "thumbnails").glob("[0-9]*.npz"))

    def set_live(self, live: LiveSummary) -> None:
        """Keep what the node's run came to."""
        (self.path / "live.json").write_text(json.dumps(live.to_json(), indent=2) + "\n", encoding="utf-8")

    def live(self) -> LiveSummary | None:
        """What the node's run came to; None unless a node ran."""
        path = self.path / "live.json"
        return LiveSummary.from_json(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def summary(self) -> Summary:
        """The figures of the whole, from the records."""
        return summarise(self.run(), self.records(), self.live())

    def _thumbnail(self, index: int) -> Path:
        return self.path / "thumbnails" / f"{index:06d}.npz"

    def _drop_half_line(self) -> None:
        """Cut off a line that an interrupted run did not finish."""
        path = self.path / "frames.jsonl"
        if path.exists():
            content = path.read_bytes()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                os.truncate(path, whole)

    def _clear(self, there: list[str]) -> None:
        for name in there:
            (self.path / name).unlink()
        for picture in (self.path / "thumbnails").glob("[0-9]*.npz"):
            picture.unlink()
