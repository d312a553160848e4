# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys

import torch

from depthpro_ros.models.depthart.tables import embedding

LOADING = """
import sys
from depthpro_ros import load_estimator
load_estimator("depthart_ar", device="cpu")
assert "torch._dynamo" not in sys.modules
"""


def test_a_table_starts_as_pytorchs_own() -> None:
    torch.manual_seed(3)
    ours = embedding(5, 7)
    torch.manual_seed(3)
    theirs = torch.nn.Embedding(5, 7)
    assert torch.equal(ours.weight, theirs.weight) and ours.weight.requires_grad


def test_loading_a_model_does_not_import_pytorchs_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
