# SPDX-License-Identifier: Apache-2.0
"""Every size of a DepthART model, and their JSON form for our own weights files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from depthpro_ros.json_text import parse_json
from depthpro_ros.models.sizes import check_ratio, check_whole
from depthpro_ros.models.vit import ViTConfig

DepthCode = Literal["linear", "log"]
PrefixKind = Literal["tokens", "encoder"]
PREFIX_KINDS: tuple[PrefixKind, ...] = ("tokens", "encoder")
DEPTH_CODES: tuple[DepthCode, ...] = ("linear", "log")


@dataclass(frozen=True)
class TokenizerConfig:
    """Sizes of the multi-scale VQ-VAE; the defaults are those of VAR's release (arXiv 2404.02905).

    Attributes:
        channels: width at full resolution.
        multipliers: widths of the levels over `channels`, full resolution first; each level but the last halves the
            side.
        blocks: residual blocks of a level of the encoder; the decoder has one more.
        groups: of the group normalisations; must divide every width.
        attention: attend over the whole map at the coarsest level.
        latent_dim: width of the latent and of a code.
        codes: entries of the codebook.
        scales: sides of the token maps, coarsest first; the last is the latent's own.
        shared_convs: convolutions that the scales share.
        blend: share of the convolution in what a scale adds; the rest passes unchanged.
    """

    channels: int = 160
    multipliers: tuple[int, ...] = (1, 1, 2, 2, 4)
    blocks: int = 2
    groups: int = 32
    attention: bool = True
    latent_dim: int = 32
    codes: int = 4096
    scales: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
    shared_convs: int = 4
    blend: float = 0.5

    def __post_init__(self) -> None:
        check_whole(
            "tokenizer",
            channels=self.channels,
            multipliers=self.multipliers,
            blocks=self.blocks,
            groups=self.groups,
            latent_dim=self.latent_dim,
            codes=self.codes,
            scales=self.scales,
            shared_convs=self.shared_convs,
        )
        if isinstance(self.blend, bool) or not isinstance(self.blend, int | float):
            raise ValueError(f"blend {self.blend!r} must be a number from 0 to 1")
        if not self.scales or list(self.scales) != sorted(set(self.scales)) or self.scales[0] < 1:
            raise ValueError(f"scales {self.scales} must be sides of maps that grow")
        wrong = [m * self.channels for m in self.multipliers if (m * self.channels) % self.groups]
        if wrong or not self.multipliers:
            raise ValueError(f"widths {wrong} are not multiples of groups {self.groups}")
        if not 1 <= self.shared_convs <= len(self.scales) or not 0 <= self.blend <= 1:
            raise ValueError(f"shared_convs {self.shared_convs} or blend {self.blend} is out of range")

    @property
    def latent_px(self) -> int:
        """Side of the latent."""
        return self.scales[-1]

    @property
    def image_px(self) -> int:
        """Side of the square images, pixels."""
        return self.latent_px * 2 ** (len(self.multipliers) - 1)

    @property
    def tokens(self) -> int:
        """Tokens of one image over all scales."""
        return sum(side * side for side in self.scales)


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes of the block-causal transformer; the defaults are those of VAR's d16.

    Attributes:
        dim, depth, heads, mlp_ratio: as of any transformer.
        unit_queries: queries and keys of length one with a learned factor (as `var_d16.pth` has), else plain
            products over 4 sqrt(dim / heads) (as the authors of DepthART fine-tune).
        classes: of the class embedding, beside the one for no class. Only that one is used here.
        prefix: what stands for the image: `tokens`, its own token maps by the same tokenizer (arXiv 2409.15010), or
            `encoder`, the tokens of a vision transformer of its own.
        encoder: that transformer's size, for `encoder`.
        encoder_px, encoder_patch_px: side of the image that it sees, and of its patches.
        modality: a learned vector tells the prefix from depth tokens.
        aligned: a depth token also begins with what the prefix says of its part of the image, for `encoder`. Without
            it attention first has to learn which part that is.
        prefix_sees_start: the prefix attends to the start token too, as in the authors' inference.
        smooth_prefix: shrink the image's latent by averaging; else bicubic, as the authors do.
    """

    dim: int = 1024
    depth: int = 16
    heads: int = 16
    mlp_ratio: float = 4.0
    unit_queries: bool = True
    classes: int = 1000
    prefix: PrefixKind = "tokens"
    encoder: ViTConfig | None = None
    encoder_px: int = 64
    encoder_patch_px: int = 8
    modality: bool = False
    aligned: bool = False
    prefix_sees_start: bool = True
    smooth_prefix: bool = False

    def __post_init__(self) -> None:
        check_whole("transformer", dim=self.dim, depth=self.depth, heads=self.heads)
        check_whole("transformer", encoder_px=self.encoder_px, encoder_patch_px=self.encoder_patch_px)
        check_whole("transformer", 0, classes=self.classes)
        check_ratio("transformer", mlp_ratio=self.mlp_ratio)
        if self.encoder is not None and not isinstance(self.encoder, ViTConfig):
            raise ValueError(f"encoder {self.encoder!r} must be the sizes of a transformer")
        if self.dim % self.heads:
            raise ValueError(f"dim {self.dim} is not a multiple of heads {self.heads}")
        if self.prefix not in PREFIX_KINDS:
            raise ValueError(f"prefix {self.prefix!r} is unknown: choose {', '.join(PREFIX_KINDS)}")
        if (self.prefix == "encoder") != (self.encoder is not None):
            raise ValueError(f"prefix {self.prefix!r} and encoder {self.encoder} contradict each other")
        if self.aligned and self.prefix != "encoder":
            raise ValueError(f"aligned needs the prefix of an encoder, whose tokens lie on a grid, not {self.prefix!r}")
        if self.encoder_px % self.encoder_patch_px:
            raise ValueError(f"encoder_px {self.encoder_px} is not a multiple of patches of {self.encoder_patch_px}")

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return self.dim // self.heads

    @property
    def plain_scale(self) -> float:
        """Factor on the products of queries and keys where they are not of length one."""
        return 0.25 / self.head_dim**0.5


@dataclass(frozen=True)
class DepthArtConfig:
    """A whole model.

    Attributes:
        tokenizer, transformer: their sizes.
        depth_code: what the tokenizer sees of depth: `linear` is equation 9 of arXiv 2409.15010, `log` the logarithm
            of the same ratio, see `depthpro_ros.models.depthart.relative`.
    """

    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    depth_code: DepthCode = "linear"

    def __post_init__(self) -> None:
        if self.depth_code not in DEPTH_CODES:
            raise ValueError(f"depth_code {self.depth_code!r} is unknown: choose {', '.join(DEPTH_CODES)}")

    @property
    def prefix_tokens(self) -> int:
        """Tokens that stand for the image."""
        transformer = self.transformer
        if transformer.prefix == "tokens":
            return self.tokenizer.tokens
        return (transformer.encoder_px // transformer.encoder_patch_px) ** 2

    def to_json(self) -> str:
        """The configuration as JSON text, for a weights file's metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DepthArtConfig:
        """Read what `to_json` wrote.

        Raises:
            ValueError: not JSON, or a key or value that does not fit.
        """
        raw = parse_json(text)
        if not isinstance(raw, dict):
            raise ValueError(f"configuration must be a JSON object, not {type(raw).__name__}")
        return cls.from_plain(raw)

    @classmethod
    def from_plain(cls, raw: dict[str, Any]) -> DepthArtConfig:
        """Read nested plain values.

        Raises:
            ValueError: a key or value does not fit.
        """
        for part in ("tokenizer", "transformer"):
            if not isinstance(raw.get(part, {}), dict):
                raise ValueError(f"configuration's {part} must be a JSON object, not {type(raw[part]).__name__}")
        transformer = dict(raw.get("transformer", {}))
        if isinstance(transformer.get("encoder"), dict):
            transformer["encoder"] = _built(ViTConfig, transformer["encoder"])
        parts: dict[str, Any] = {
            "tokenizer": _built(TokenizerConfig, raw.get("tokenizer", {})),
            "transformer": _built(TransformerConfig, transformer),
        }
        return _built(cls, raw | parts)


def _built(kind: type, values: dict[str, Any]) -> Any:
    unknown = sorted(set(values) - {f.name for f in fields(kind)})
    if unknown:
        raise ValueError(f"unknown configuration keys {unknown} of {kind.__name__}")
    try:
        return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})
    except TypeError as error:
        raise ValueError(f"configuration does not fit: {error}") from error
