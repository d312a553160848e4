# SPDX-License-Identifier: Apache-2.0
"""The mean of weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from depthpro_ros.errors import InputError, WeightsError
from depthpro_ros.models.depth_pro.network import DepthPro
from depthpro_ros.models.depth_pro.presets import PICO
from depthpro_ros.models.depth_pro.weights import load_network, save_network
from depthpro_ros.training.average import average, main
from test.training.small import TINY


def filled(path: Path, value: float, dtype: torch.dtype = torch.float32) -> Path:
    """All weights are this."""
    network = DepthPro(TINY)
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, value)
    save_network(network, path, dtype)
    return path


def test_each_weight_is_the_mean(tmp_path: Path) -> None:
    one, four = filled(tmp_path / "one.safetensors", 1), filled(tmp_path / "four.safetensors", 4, torch.float16)
    for shares, expected in ((None, 2.5), ([2, 1], 2.0), ([1.5, 4.5], 3.25)):
        mean = average([one, four], shares)
        assert {value for parameter in mean.parameters() for value in parameter.unique().tolist()} == {expected}
        assert all(parameter.dtype == torch.float32 for parameter in mean.parameters())
    # the files are as they were
    assert next(load_network(one).parameters()).unique().tolist() == [1]


def test_command_writes_what_the_network_is_read_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(filled(tmp_path / f"{value}.safetensors", value)) for value in (1, 2, 6)]
    out = tmp_path / "new" / "mean.safetensors"
    assert main([*files, "-o", str(out), "--shares", "1", "2", "1"]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert next(load_network(out).parameters()).unique().tolist() == [2.75]


@pytest.mark.parametrize("shares", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, float("nan")], [1.0, float("inf")]])
def test_shares_are_a_positive_number_for_each(tmp_path: Path, shares: list[float]) -> None:
    with pytest.raises(InputError, match="give a positive number for each"):
        average([tmp_path / "a.safetensors", tmp_path / "b.safetensors"], shares)


def test_what_has_no_mean_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = filled(tmp_path / "small.safetensors", 1)
    save_network(DepthPro(PICO), tmp_path / "large.safetensors")
    with pytest.raises(WeightsError, match=r"large\.safetensors are of a network of another size than .*small"):
        average([small, tmp_path / "large.safetensors"])
    with pytest.raises(InputError, match="at least two"):
        average([small])
    assert main([str(small), str(tmp_path / "none.safetensors"), "-o", str(tmp_path / "out.safetensors")]) == 2
    assert "do not exist" in capsys.readouterr().err and not (tmp_path / "out.safetensors").exists()
    (tmp_path / "file").write_text("")
    assert main([str(small), str(small), "-o", str(tmp_path / "file" / "out.safetensors")]) == 2
    assert "file" in capsys.readouterr().err
