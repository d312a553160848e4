# SPDX-License-Identifier: Apache-2.0
"""Depth Pro for inference: the same function as `DepthPro`, with fewer operations and less memory.

What is merged, and why it is exact, is said in `transformer`, `resampling`, `levels` and `decoder`. Weights files keep
the published layout; merging happens when a network is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.encoder import FULL_STEPS, HALF_STEPS, merge, pyramid, split
from depthpro_ros.models.depth_pro.inference.budget import UNLIMITED, MemoryBudget
from depthpro_ros.models.depth_pro.inference.decoder import (
    FINER_REACH,
    FINEST_REACH,
    MergedFusion,
    MergedHead,
    in_strips,
)
from depthpro_ros.models.depth_pro.inference.fov import MergedFov
from depthpro_ros.models.depth_pro.inference.levels import MergedLevel, global_level
from depthpro_ros.models.depth_pro.inference.tiles import TileReuse
from depthpro_ros.models.depth_pro.inference.transformer import MergedTransformer, input_scale
from depthpro_ros.models.depth_pro.network import DepthPro

Mark = Callable[[str], None]
STAGES = ("patch encoder", "image encoder", "decoder", "head", "fov")
"""What `forward` tells its `mark`, in this order; "head" is the finest decoder level and the depth head."""


class MergedDepthPro(nn.Module):
    """Depth Pro for inference.

    Args:
        network: the original, which gives its weights away: afterwards it cannot be used.
        dtype: number format to compute in; weights are merged in float32 at least.
        window_px: side of a window; None is as it was trained, another one is approximate.

    Attributes:
        config: of the original, with `window_px`.
        input_scale: what RGB in [0, 255] is multiplied with to be this network's input.
        budget: how much memory a pass may take; may be replaced at any time.
        reuse: windows of earlier images, where unchanged ones are not to be computed again (approximate).
    """

    def __init__(self, network: DepthPro, dtype: torch.dtype, window_px: int | None = None) -> None:
        super().__init__()
        trained = network.config
        self.config: DepthProConfig = trained if window_px is None else replace(trained, window_px=window_px)
        self.budget: MemoryBudget = UNLIMITED
        self.reuse: TileReuse | None = None
        self.input_scale = input_scale(dtype)
        grid = self.config.grid
        encoder, decoder = network.encoder, network.decoder
        self.patch_encoder = MergedTransformer(encoder.patch_encoder, dtype, grid)
        self.image_encoder = MergedTransformer(encoder.image_encoder, dtype, grid)
        self.fov = None if network.fov is None else MergedFov(network.fov, dtype, trained.window_px, trained.grid)
        for part in (encoder, decoder, network.head):
            part.to(torch.float64 if dtype == torch.float64 else torch.float32)
        count = len(self.config.hooks)
        layers = [encoder.get_submodule(f"upsample_latent{i}") for i in range(count)]
        layers += [encoder.upsample0, encoder.upsample1]
        self.levels = nn.ModuleList(MergedLevel(a, b) for a, b in zip(layers, decoder.convs, strict=False))  # type: ignore[arg-type]
        self.global_level = global_level(encoder, decoder.convs[-1])  # type: ignore[arg-type]
        last = len(decoder.fusions) - 1
        self.fusions = nn.ModuleList(
            MergedFusion(block, skips=index < last)  # type: ignore[arg-type]
            for index, block in enumerate(decoder.fusions)
        )
        self.head = MergedHead(decoder.fusions[0].out_conv, network.head)  # type: ignore[arg-type]
        self.requires_grad_(False).eval()
        for module in (self.levels, self.global_level, self.fusions, self.head):
            module.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def dtype(self) -> torch.dtype:
        """The number format of its weights."""
        return self.patch_encoder.position.dtype

    def forward(
        self, image: Tensor, want_fov: bool | Sequence[int] = True, mark: Mark = lambda stage: None
    ) -> tuple[Tensor, Tensor | None]:
        """Run the network.

        Args:
            image: [B, 3, input_px, input_px], RGB in [0, 255] times `input_scale`.
            want_fov: run the field-of-view head too, where there is one: for all images, or for these.
            mark: called with the name of each stage in `STAGES` when it is done.

        Returns:
            As `DepthPro.forward`; the field of view is of the wanted images only.
        """
        batch, config = len(image), self.config
        strips = self.budget.strips(config, batch, image.dtype)
        full, half, quarter = pyramid(image)
        side = quarter.shape[-1]
        windows = torch.cat([split(full, side, FULL_STEPS), split(half, side, HALF_STEPS), quarter])
        del full, half, image
        fine_rows = FULL_STEPS**2 * batch
        if self.reuse is None:
            finals, latents = self._encode(windows, fine_rows)
        else:
            finals, latents = self.reuse.encode(windows, fine_rows, batch, 1 / self.input_scale, self._encode)
        del windows
        mark("patch encoder")
        context, _ = self.image_encoder(quarter)
        mark("image encoder")

        fine, middle, coarse = finals.split([fine_rows, HALF_STEPS**2 * batch, batch])
        latents.append(self.levels[-2].narrow(fine))  # type: ignore[operator]
        maps = [merge(tokens, batch, FULL_STEPS, config.grid // 4) for tokens in latents]
        maps.append(merge(self.levels[-1].narrow(middle), batch, HALF_STEPS, config.grid // 2))  # type: ignore[operator]
        lowres = self.global_level(torch.cat([coarse, context], -1).permute(0, 3, 1, 2))
        del finals, latents, fine, middle, coarse, context
        x = self.fusions[-1](lowres)
        while len(maps) > 2:
            x = self._fuse(len(maps) - 1, x, maps.pop())
        rows = maps[1].shape[2]
        x = in_strips(self._finer, [x, maps.pop()], rows, strips[1], _cells(FINER_REACH, x, rows))
        mark("decoder")
        rows = maps[0].shape[2]
        canonical = in_strips(self._finest, [x, maps.pop()], rows, strips[0], _cells(FINEST_REACH, x, rows))
        mark("head")
        del x
        fov_deg = None
        if self.fov is not None and want_fov is not False:
            if want_fov is not True:
                # not by an index tensor, which a recorded graph could not upload
                quarter, lowres = (torch.cat([x[i : i + 1] for i in want_fov]) for x in (quarter, lowres))
            fov_deg = self.fov(quarter, lowres, stay=self.budget.keep_fov)
            mark("fov")
        return canonical, fov_deg

    def _encode(self, windows: Tensor, fine: int) -> tuple[Tensor, list[Tensor]]:
        """Final tokens of all windows, and the hooked ones, narrowed, of the first `fine`."""
        step = self.budget.windows_at_once(self.config, windows.dtype)
        finals: Tensor | None = None
        latents: list[Tensor] = []
        for first in range(0, len(windows), step):
            rows = slice(first, first + step)
            tokens, hooked = self.patch_encoder(windows[rows], self.config.hooks if first < fine else ())
            narrowed = [level.narrow(t[: fine - first]) for level, t in zip(self.levels, hooked, strict=False)]  # type: ignore[operator]
            if finals is None:
                finals = tokens.new_empty(len(windows), *tokens.shape[1:])
                latents = [t.new_empty(fine, *t.shape[1:]) for t in narrowed]
            finals[rows] = tokens
            for latent, part in zip(latents, narrowed, strict=False):
                latent[rows] = part
        assert finals is not None
        return finals, latents

    def _fuse(self, level: int, x: Tensor, tokens: Tensor) -> Tensor:
        """Double the running map and add a level, made from its tokens."""
        return self.fusions[level](x, self.fusions[level + 1].enlarge, lambda: self.levels[level](tokens))

    def _finer(self, x: Tensor, tokens: Tensor) -> Tensor:
        """The last level but one."""
        return self._fuse(1, x, tokens)

    def _finest(self, x: Tensor, tokens: Tensor) -> Tensor:
        """The finest level and the head."""
        return self.head(self._fuse(0, x, tokens))


def _cells(reach: int, x: Tensor, rows: int) -> int:
    """Rows of the map that x is doubled to as cells, of which there are `rows` down the image; rounded up."""
    return -(-reach * rows // (2 * x.shape[2]))
