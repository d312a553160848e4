# SPDX-License-Identifier: Apache-2.0
"""Reuse of windows that have not changed: approximate, for cameras that stand still.

Of the 35 windows of an image the 25 at full resolution are compared with those of earlier images, and what did not
change is not computed again. The 10 coarse windows, the context and the decoder always are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

KEPT = 8
"""Earlier images that are remembered: one for each of as many cameras."""
SHRINK = 4
"""Windows are compared at this fraction of their size: noise of single pixels is no change."""
Encode = Callable[[Tensor, int], tuple[Tensor, list[Tensor]]]


@dataclass
class Remembered:
    """The full-resolution windows of one image.

    Attributes:
        windows: what was seen, uint8 [n, 3, h / SHRINK, w / SHRINK].
        tokens: their final tokens [n, g, g, dim].
        latents: their hooked tokens, narrowed, [n, g, g, c] each.
    """

    windows: Tensor
    tokens: Tensor
    latents: list[Tensor]


class TileReuse:
    """Finds windows that were computed before.

    An image is compared with all remembered ones, and takes its windows from the one that has most of them, so
    nobody has to say which camera it is from.

    Args:
        threshold: mean absolute change of a window, in 8-bit levels, up to which it counts as unchanged. It is
            measured against what the kept tokens were computed from, so slow changes add up and are noticed. One
            unchanged window of each image is computed all the same, another one each time.
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._images: list[Remembered] = []
        self._passes = 0
        self.computed = self.reused = 0

    def look(self, windows: Tensor) -> Tensor:
        """A small copy of windows [n, 3, h, w] in [0, 255], to remember and compare."""
        return F.avg_pool2d(windows.float(), SHRINK).round_().to(torch.uint8)

    def find(self, seen: Tensor) -> tuple[Remembered | None, Tensor]:
        """The remembered image that has most of these windows, and which of them have changed, bool [n]."""
        best: Remembered | None = None
        changed = torch.ones(len(seen), dtype=torch.bool)
        for image in self._images:
            if image.windows.shape != seen.shape:
                continue
            change = (image.windows.int() - seen.int()).abs_().float().mean((1, 2, 3)).cpu() > self.threshold
            if change.sum() < changed.sum():
                best, changed = image, change
        return best, changed

    def remember(self, image: Remembered, in_place_of: Remembered | None) -> None:
        """Keep an image instead of the one that it continues, or else of the oldest."""
        self._images = [kept for kept in self._images if kept is not in_place_of][-(KEPT - 1) :]
        self._images.append(image)

    def encode(
        self, windows: Tensor, fine: int, batch: int, levels: float, encode: Encode
    ) -> tuple[Tensor, list[Tensor]]:
        """Encode windows, those that have not changed from memory.

        Args:
            windows: [N, 3, h, w], the images of the batch as neighbours within each position.
            fine: the first so many are at full resolution.
            batch: number of images.
            levels: factor that brings windows to [0, 255].
            encode: windows and how many of them, the first ones, are hooked, to tokens and hooked tokens.

        Returns:
            What `encode` would return for all of them.
        """
        seen = self.look(windows[:fine] * levels).view(fine // batch, batch, *_small(windows)).transpose(0, 1)
        found = [self.find(image) for image in seen]
        for _, change in found:
            change[self._passes % len(change)] = True
        self._passes += 1
        changed = torch.stack([change for _, change in found], 1).flatten()
        indices = changed.nonzero().flatten().to(windows.device)
        tokens, latents = encode(torch.cat([windows[indices], windows[fine:]]), len(indices))
        self.computed += len(indices)
        self.reused += fine - len(indices)
        whole = tokens.new_empty(len(windows), *tokens.shape[1:])
        whole[indices], whole[fine:] = tokens[: len(indices)], tokens[len(indices) :]
        hooked = [latent.new_empty(fine, *latent.shape[1:]) for latent in latents]
        for target, latent in zip(hooked, latents, strict=True):
            target[indices] = latent
        for number, (before, change) in enumerate(found):
            own = slice(number, fine, batch)
            if before is not None:
                old = (~change).nonzero().flatten().to(windows.device)
                rows = old * batch + number
                whole[rows] = before.tokens[old]
                for target, kept in zip(hooked, before.latents, strict=True):
                    target[rows] = kept[old]
                seen[number][old] = before.windows[old]
            image = Remembered(seen[number].clone(), whole[:fine][own].clone(), [h[own].clone() for h in hooked])
            self.remember(image, before)
        return whole, hooked


def _small(windows: Tensor) -> tuple[int, int, int]:
    return windows.shape[1], windows.shape[2] // SHRINK, windows.shape[3] // SHRINK
