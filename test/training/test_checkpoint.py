# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: a broken write costs nothing, and a foreign one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from depthpro_ros.errors import InputError
from depthpro_ros.training.checkpoint import Progress, read_checkpoint, write_checkpoint


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    progress = Progress(stage=1, step=7, best=0.5, stale=2, spent_s=12.5)
    assert write_checkpoint(path, progress, "net", {"network": {"w": torch.arange(3.0)}}) is None
    found, state = read_checkpoint(path, "net")
    assert found == progress
    assert torch.equal(state["network"]["w"], torch.arange(3.0))


def test_a_write_that_fails_keeps_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pt"
    write_checkpoint(path, Progress(step=1), "net", {})

    def half(_: object, file) -> None:
        file.write(b"half a checkpoint")
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")

    monkeypatch.setattr(torch, "save", half)
    problem = write_checkpoint(path, Progress(step=2), "net", {})
    assert problem is not None and "write failed" in problem
    monkeypatch.undo()
    assert read_checkpoint(path, "net")[0].step == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_a_really_full_disk_keeps_the_last_one(tmp_path: Path) -> None:
    """/dev/full refuses every byte, as a full disk does."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full on this system")
    path = tmp_path / "a.pt"
    write_checkpoint(path, Progress(step=1), "net", {})
    (tmp_path / "a.pt.partial").symlink_to(full)
    problem = write_checkpoint(path, Progress(step=2), "net", {"w": torch.zeros(100_000)})
    assert problem is not None
    assert read_checkpoint(path, "net")[0].step == 1


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_a_damaged_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.pt"
    write_checkpoint(path, Progress(), "net", {})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match="cannot be read"):
        read_checkpoint(path, "net")


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(2)}, tmp_path / "a.pt")
    with pytest.raises(InputError, match="cannot be read"):
        read_checkpoint(tmp_path / "a.pt", "net")


def test_another_network_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a.pt", Progress(), "small", {})
    with pytest.raises(InputError, match=r"another network \(small\).*\(large\)"):
        read_checkpoint(tmp_path / "a.pt", "large")
