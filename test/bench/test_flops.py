# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of a frame."""

from __future__ import annotations

import pytest

from depthpro_ros.bench.flops import frame_flops
from depthpro_ros.models.depth_pro import DepthProConfig


@pytest.fixture(scope="module")
def published():
    return frame_flops(DepthProConfig())


def transformer() -> int:
    """One ViT-L on one window of 24 x 24 tokens and a class token, by hand."""
    tokens, dim, blocks = 577, 1024, 24
    linear = 2 * tokens * dim * (3 * dim + dim + 2 * 4 * dim)
    attention = 2 * 2 * tokens * tokens * dim
    return blocks * (linear + attention) + 2 * 576 * (3 * 16 * 16) * dim


def test_the_published_network_takes_19_247_tflop(published):
    # the figure that is told of Apple's released network in its published size
    assert published.total / 1e12 == pytest.approx(19.247, abs=5e-4)


def test_the_image_encoder_is_one_transformer_on_one_window(published):
    assert published.image_encoder == transformer()


def test_the_patch_encoder_is_35_windows_and_two_projections(published):
    projections = 2 * (2 * 96 * 96 * 1024 * 256)
    assert published.patch_encoder == 35 * transformer() + projections


def test_stages_add_up(published):
    stages = ("patch encoder", "image encoder", "decoder", "head", "fov")
    assert sum(published.stage(name) for name in stages) == published.total


def test_a_known_focal_saves_the_field_of_view(published):
    assert published.total - published.depth == published.fov > transformer()
