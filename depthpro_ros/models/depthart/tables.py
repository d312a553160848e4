# SPDX-License-Identifier: Apache-2.0
"""Tables of learned vectors."""

from __future__ import annotations

import torch
from torch import nn


def embedding(rows: int, width: int) -> nn.Embedding:
    """`torch.nn.Embedding`, from the same random start, without which it is built for weights that are read later.

    PyTorch's own fills the table there too, where there is no memory to fill, and imports its compiler for that: three
    seconds of every start.
    """
    weight = torch.empty(rows, width)
    if not weight.is_meta:
        nn.init.normal_(weight)
    return nn.Embedding.from_pretrained(weight, freeze=False)
