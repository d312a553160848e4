# SPDX-License-Identifier: Apache-2.0
"""MATLAB's files, against SciPy's reader and writer."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy")
from scipy.io import loadmat, savemat

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats import matlab_v5
from depthpro_ros.evaluation.datasets.formats.matlab_v5 import parse_mat

KINDS = ("u1", "i1", "u2", "i2", "u4", "i8", "f4", "f8")
VALUES: dict[str, Any] = {
    **{f"n{kind}": np.arange(24).reshape(2, 3, 4).astype(kind) for kind in KINDS},
    "one": 5.0,
    "flags": np.array([[True, False]]),
    "complex": np.array([[1 + 2j, 3]]),
    "text": "a room",
    "texts": np.array(["ab", "xy"]),
    "umlaut": "Tür",
    "nothing": "",
    "cells": np.array([["a", 1.0], [np.zeros((2, 2)), "b"]], object),
    "data": {"rgb": np.ones((2, 3, 3), np.uint8), "calib": np.eye(3), "inner": {"name": "x"}},
    "empty": np.zeros((0, 3)),
}


def assert_same(ours: Any, theirs: Any) -> None:
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape and ours.dtype.names == theirs.dtype.names
    if theirs.dtype.names:
        for name in theirs.dtype.names:
            assert_same(ours[name], theirs[name])
    elif theirs.dtype == object:
        for mine, other in zip(ours.ravel(), theirs.ravel(), strict=True):
            assert_same(mine, other)
    else:
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("compressed", [False, True])
def test_variables_are_those_that_scipy_reads(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "all.mat"
    savemat(path, VALUES, do_compression=compressed)
    ours, theirs = parse_mat(path.read_bytes()), loadmat(path)
    assert set(ours) == set(VALUES)
    for name in VALUES:
        assert_same(ours[name], theirs[name])


def test_a_variable_that_unpacks_to_more_than_allowed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matlab_v5, "MAX_BYTES", 1 << 20)
    packed = zlib.compress(bytes(8 << 20))
    header = b" " * 124 + struct.pack("<H", 0x0100) + b"IM"
    with pytest.raises(InputError, match="larger than 1048576 bytes"):
        parse_mat(header + struct.pack("<II", 15, len(packed)) + packed)


@pytest.mark.parametrize(("at", "value"), [(185, 187), (1033, 128)])
def test_damage_that_ends_scipys_process_is_refused_or_read(tmp_path: Path, at: int, value: int) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"testNdxs": np.array([[1], [3]]), "data": {"rgb": np.zeros((12, 16, 3), np.uint8)}})
    content = bytearray(path.read_bytes())
    content[at % len(content)] = value
    try:
        assert isinstance(parse_mat(bytes(content)), dict)
    except InputError as error:
        assert str(error)
