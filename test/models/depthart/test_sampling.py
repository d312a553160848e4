# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from depthpro_ros.errors import InputError
from depthpro_ros.models.depthart.sampling import DecodingSettings, draw, truncate


def test_top_k_keeps_the_k_likeliest() -> None:
    logits = torch.tensor([[1.0, 4.0, 3.0, 2.0]])
    assert torch.equal(truncate(logits, 2, 1.0).isfinite(), torch.tensor([[False, True, True, False]]))


def test_top_p_keeps_the_smallest_set_that_holds_the_share() -> None:
    probabilities = torch.tensor([[0.5, 0.3, 0.15, 0.05]])
    for share, kept in ((0.9, 3), (0.79, 2), (0.4, 1)):
        assert int(truncate(probabilities.log(), 0, share).isfinite().sum()) == kept


def test_the_likeliest_code_may_always_be_drawn() -> None:
    logits = torch.tensor([[10.0, 0.0, 0.0]])
    assert torch.equal(truncate(logits, 0, 1e-6).isfinite(), torch.tensor([[True, False, False]]))


def test_draws_follow_the_probabilities() -> None:
    probabilities = torch.tensor([0.6, 0.3, 0.1])
    settings = DecodingSettings("sampled", top_k=0, top_p=1.0)
    codes = draw(probabilities.log()[None], settings, torch.Generator().manual_seed(0), 20_000)
    share = torch.bincount(codes.flatten()) / 20_000
    # four standard errors of a share of 0.6
    assert (share - probabilities).abs().max() < 4 * (0.24 / 20_000) ** 0.5


@pytest.mark.parametrize(
    "values",
    [{"decoding": "greedy"}, {"samples": 0}, {"top_p": 0.0}, {"top_k": -1}, {"seed": -1}],
)
def test_settings_out_of_range_are_refused_by_name(values: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(values))):
        DecodingSettings(**values)
