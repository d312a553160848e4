# SPDX-License-Identifier: Apache-2.0
"""Images on their way to the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from depthpro_ros.models.depth_pro.input import Uploader, network_input
from depthpro_ros.models.depth_pro.network import normalise


@pytest.mark.parametrize("antialias", [False, True])
def test_resizing_and_normalising_commute(antialias: bool) -> None:
    rgb = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 50, 70, 3), dtype=np.uint8))
    expected = normalise(rgb, 64, antialias)
    image = network_input(rgb, 64, 1 / 128, torch.float32, antialias)
    torch.testing.assert_close(image * (128 / 127.5) - 1, expected, rtol=0, atol=1e-5)


def test_an_image_of_the_right_size_is_only_scaled() -> None:
    rgb = torch.full((1, 64, 64, 3), 200, dtype=torch.uint8)
    assert torch.equal(network_input(rgb, 64, 1.0, torch.float64).unique(), torch.tensor([200.0], dtype=torch.float64))


def test_nothing_is_copied_on_a_cpu() -> None:
    rgb = np.zeros((4, 5, 3), np.uint8)
    uploaded = Uploader(torch.device("cpu"))(rgb)
    rgb[1, 2] = 7
    assert uploaded[1, 2].tolist() == [7, 7, 7]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_images_of_one_size_do_not_overwrite_each_other() -> None:
    upload = Uploader(torch.device("cuda"))
    images = [np.full((720, 1280, 3), value, np.uint8) for value in range(20)]
    uploaded = [upload(image) for image in images]
    assert [int(u.min()) for u in uploaded] == [int(u.max()) for u in uploaded] == list(range(20))
