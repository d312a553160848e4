# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from depthpro_ros.models.depthart.inference import DepthArtNetwork
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.sampling import DecodingSettings


@pytest.mark.parametrize("stored", [torch.float32, torch.float16])
@torch.no_grad()
def test_a_network_that_consumes_its_model_says_the_same(model: DepthArt, rgb: Tensor, stored: torch.dtype) -> None:
    given = copy.deepcopy(model).to(stored)
    kept = DepthArtNetwork(copy.deepcopy(given).float(), torch.float32, DecodingSettings())
    consumed = DepthArtNetwork(given, torch.float32, DecodingSettings(), consume=True)
    assert {p.device.type for p in given.parameters()} == {"meta"}
    expected, answer = (network(network.squares(rgb)) for network in (kept, consumed))
    torch.testing.assert_close(answer.relative, expected.relative, rtol=0, atol=1e-6)
