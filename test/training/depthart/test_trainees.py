# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from depthpro_ros.training.data.batch import Batch
from depthpro_ros.training.depthart.config import ArtStage
from depthpro_ros.training.depthart.trainees import DecoderTrainee
from test.training.depthart.small import small_model


def test_a_decoder_that_says_too_much_everywhere_still_learns() -> None:
    model = small_model()
    with torch.no_grad():
        model.tokenizer.decoder.conv_out.bias.fill_(5.0)  # the code's end is 1
    side = model.config.tokenizer.image_px
    slope = torch.linspace(0.1, 1.0, side).expand(1, side, side).contiguous()
    batch = Batch(
        torch.zeros(1, side, side, 3, dtype=torch.uint8),
        slope,
        torch.ones(1, side, side, dtype=torch.bool),
        torch.tensor([60.0]),
        ("synthetic_metric",),
    )
    trainee = DecoderTrainee(model, ArtStage(name="decoder", train="decoder", steps=1, batch=1))
    loss, _ = trainee(batch)
    loss.backward()
    assert model.tokenizer.decoder.conv_out.weight.grad.abs().max() > 0
