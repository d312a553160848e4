# SPDX-License-Identifier: Apache-2.0
"""Windows of a camera that stands still are computed once."""

from __future__ import annotations

import torch

from depthpro_ros.models.depth_pro.inference.tiles import KEPT, TileReuse
from test.models.depth_pro.small import TINY, merged, original
from test.models.depth_pro.small import images as images_for

WINDOWS = 25


def images(count: int, seed: int = 1) -> torch.Tensor:
    return images_for(count, TINY, seed)


def network_with_reuse(threshold: float = 2.0):
    network = merged(original(TINY))
    network.reuse = TileReuse(threshold)
    return network, network.reuse


def test_the_first_image_is_exact() -> None:
    network, reuse = network_with_reuse()
    rgb = images(2)
    with torch.inference_mode():
        expected, _ = merged(original(TINY))(rgb, False)
        canonical, _ = network(rgb, False)
    torch.testing.assert_close(canonical, expected, rtol=1e-10, atol=1e-10)
    assert (reuse.computed, reuse.reused) == (2 * WINDOWS, 0)


def test_an_unchanged_image_computes_one_window_and_is_exact() -> None:
    network, reuse = network_with_reuse()
    rgb = images(1)
    with torch.inference_mode():
        first, _ = network(rgb, False)
        again, _ = network(rgb, False)
    torch.testing.assert_close(again, first, rtol=1e-10, atol=1e-10)
    assert (reuse.computed, reuse.reused) == (WINDOWS + 1, WINDOWS - 1)


def test_a_change_is_computed_where_it_is() -> None:
    """A bright spot in the corner, which one window of the 5 x 5 sees: as exact as without reuse."""
    network, reuse = network_with_reuse(threshold=0.0)
    rgb = images(1)
    changed = rgb.clone()
    changed[..., :16, :16] = 255 - changed[..., :16, :16]
    with torch.inference_mode():
        network(rgb, False)
        reuse.computed = 0
        reuse._passes = 7  # the window that is computed all the same is another one
        canonical, _ = network(changed, False)
        expected, _ = merged(original(TINY))(changed, False)
    assert reuse.computed == 2
    torch.testing.assert_close(canonical, expected, rtol=1e-10, atol=1e-10)


def test_slow_changes_add_up() -> None:
    network, reuse = network_with_reuse(threshold=4.0)
    rgb = images(1) * 0.5
    counts = []
    with torch.inference_mode():
        for brighter in range(0, 12, 2):
            reuse.computed = 0
            network(rgb + brighter, False)
            counts.append(reuse.computed)
    # 2 and 4 levels are within the threshold of what was computed, 6 are not; then it begins again
    assert counts[0] == WINDOWS
    assert counts[1] == counts[2] == 1
    assert counts[3] >= WINDOWS - 2


def test_cameras_are_told_apart_by_what_they_see() -> None:
    network, reuse = network_with_reuse()
    front, rear = images(1, seed=1), images(1, seed=2)
    with torch.inference_mode():
        network(front, False)
        network(rear, False)
        reuse.computed = 0
        swapped, _ = network(torch.cat([rear, front]), False)
        expected, _ = merged(original(TINY))(torch.cat([rear, front]), False)
    assert reuse.computed == 2
    torch.testing.assert_close(swapped, expected, rtol=1e-10, atol=1e-10)


def test_memory_is_bounded() -> None:
    network, reuse = network_with_reuse(threshold=0.0)
    with torch.inference_mode():
        for seed in range(KEPT + 3):
            network(images(1, seed=seed), False)
    assert len(reuse._images) == KEPT
