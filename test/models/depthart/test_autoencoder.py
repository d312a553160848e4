# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy

import torch

from depthpro_ros.models.depthart.autoencoder import Upsample, merge_upsampling
from test.models.depthart.conftest import CONFIGS, random_model


@torch.no_grad()
def test_merging_the_enlarging_layers_is_exact() -> None:
    model = random_model(CONFIGS["var"]).double()
    decoder = model.tokenizer.decoder
    merged = copy.deepcopy(decoder)
    merge_upsampling(merged)
    assert any(isinstance(m, Upsample) for m in decoder.modules())
    assert not any(isinstance(m, Upsample) for m in merged.modules())
    latent = torch.randn(2, 8, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(merged(latent), decoder(latent), rtol=0, atol=1e-12)
