# SPDX-License-Identifier: Apache-2.0
"""Every size of a Depth Pro network, and their JSON form for our own weights files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from depthpro_ros.json_text import parse_json
from depthpro_ros.models.sizes import check_whole
from depthpro_ros.models.vit import ViTConfig

PYRAMID_FACTOR = 4
"""The network's input is this many windows wide: one window covers it at the coarsest level."""


@dataclass(frozen=True)
class DepthProConfig:
    """Sizes of a Depth Pro network; the defaults are those of Apple's release (arXiv 2410.02073).

    Attributes:
        window_px: side of the square windows that the transformers see.
        patch_px: side of a transformer patch; `window_px / patch_px` must be a multiple of 4, so that
            the overlaps of the windows (a quarter and a half) are whole tokens.
        patch_encoder, image_encoder, fov_encoder: the three transformers. `fov_encoder` None means a
            network without the field-of-view head.
        hooks: blocks of the patch encoder whose outputs feed the finest decoder levels, finest first.
            Each adds one level, so the output is `2 ** (4 + len(hooks))` times the token grid wide.
        latent_dims: width of each hooked level, in the order of `hooks`.
        pyramid_dims: widths of the levels from the full, half and quarter resolution windows.
        decoder_dim: width of the decoder.
        head_dim: width of the head's last hidden layer.
        antialias: low-pass the image when it is shrunk to the input size. Apple's network was trained
            and released without.
    """

    window_px: int = 384
    patch_px: int = 16
    patch_encoder: ViTConfig = field(default_factory=ViTConfig)
    image_encoder: ViTConfig = field(default_factory=ViTConfig)
    fov_encoder: ViTConfig | None = field(default_factory=ViTConfig)
    hooks: tuple[int, ...] = (5, 11)
    latent_dims: tuple[int, ...] = (256, 256)
    pyramid_dims: tuple[int, int, int] = (512, 1024, 1024)
    decoder_dim: int = 256
    head_dim: int = 32
    antialias: bool = False

    def __post_init__(self) -> None:
        check_whole(
            "network",
            window_px=self.window_px,
            patch_px=self.patch_px,
            latent_dims=self.latent_dims,
            pyramid_dims=self.pyramid_dims,
            decoder_dim=self.decoder_dim,
            head_dim=self.head_dim,
        )
        check_whole("network", 0, hooks=self.hooks)
        for encoder in (self.patch_encoder, self.image_encoder):
            if not isinstance(encoder, ViTConfig):
                raise ValueError(f"network has the transformer {encoder!r}, expected its sizes")
        if self.window_px % self.patch_px or self.grid % 4:
            raise ValueError(f"window_px {self.window_px} / patch_px {self.patch_px} must be a multiple of 4 patches")
        if len(self.latent_dims) != len(self.hooks):
            raise ValueError(f"latent_dims {self.latent_dims} and hooks {self.hooks} differ in length")
        if len(self.pyramid_dims) != 3:
            raise ValueError(f"pyramid_dims {self.pyramid_dims} must name three widths")
        for hook in self.hooks:
            if not 0 <= hook < self.patch_encoder.depth:
                raise ValueError(f"hook {hook} is not a block of 0..{self.patch_encoder.depth - 1}")

    @property
    def grid(self) -> int:
        """Tokens along one side of a window."""
        return self.window_px // self.patch_px

    @property
    def input_px(self) -> int:
        """Side of the square image that the network takes, pixels."""
        return PYRAMID_FACTOR * self.window_px

    @property
    def output_px(self) -> int:
        """Side of the square map that the network returns, pixels."""
        return self.grid * 2 ** (4 + len(self.hooks))

    def to_json(self) -> str:
        """The configuration as JSON text, for a weights file's metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DepthProConfig:
        """Read what `to_json` wrote.

        Raises:
            ValueError: not JSON, or a key or value that this class does not know.
        """
        raw = parse_json(text)
        if not isinstance(raw, dict):
            raise ValueError(f"configuration must be a JSON object, not {type(raw).__name__}")
        unknown = sorted(set(raw) - {f.name for f in fields(cls)})
        if unknown:
            raise ValueError(f"unknown configuration keys {unknown}")
        values: dict[str, Any] = {}
        for key, value in raw.items():
            if key.endswith("_encoder") and value is not None and not isinstance(value, dict):
                raise ValueError(f"{key} must be a JSON object, not {type(value).__name__}")
            values[key] = tuple(value) if isinstance(value, list) else value
        try:
            sizes = {key: ViTConfig(**value) for key, value in values.items() if isinstance(value, dict)}
            return cls(**values | sizes)
        except TypeError as error:
            raise ValueError(f"configuration does not fit: {error}") from error
