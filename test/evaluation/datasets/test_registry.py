# SPDX-License-Identifier: Apache-2.0
"""Data sets by name; what is said of folders that are not what they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import DATASETS, DatasetFrame, ids_sha256, open_dataset


@pytest.mark.parametrize("name", DATASETS)
def test_an_empty_folder_shows_the_expected_tree(name: str, tmp_path: Path) -> None:
    needed = {"nyuv2": "h5py", "sun_rgbd": "scipy"}.get(name)
    if needed:
        pytest.importorskip(needed)
    with pytest.raises(InputError) as caught:
        open_dataset(name, tmp_path)
    for line in DATASETS[name].tree.strip().splitlines():
        assert line in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", DATASETS)
def test_a_missing_folder_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere is no folder"):
        open_dataset(name, tmp_path / "nowhere")


def test_unknown_names_and_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown data set 'sintl', known are booster"):
        open_dataset("sintl", tmp_path)
    with pytest.raises(InputError, match="no option colour, it has render"):
        open_dataset("sintel", tmp_path, colour=1)
    with pytest.raises(InputError, match="render is 'albedo', expected one of final, clean"):
        open_dataset("sintel", tmp_path, render="albedo")


def test_ids_of_other_frames_have_another_hash() -> None:
    assert ids_sha256(["a", "b"]) == ids_sha256(("a", "b"))
    assert len({ids_sha256(ids) for ids in (["a", "b"], ["b", "a"], ["a"], ["ab"])}) == 4


def test_maps_must_fit_the_photograph() -> None:
    rgb = np.zeros((2, 3, 3), np.uint8)
    with pytest.raises(InputError, match=r"depth_m is float32 \[2, 4\], expected float32 \[2, 3\]"):
        DatasetFrame("a", "s", rgb, np.zeros((2, 4), np.float32))
    with pytest.raises(InputError, match="alpha is float64"):
        DatasetFrame("a", "s", rgb, alpha=np.zeros((2, 3)))
    with pytest.raises(InputError, match="fx_px is nan"):
        DatasetFrame("a", "s", rgb, fx_px=float("nan"))
