# SPDX-License-Identifier: Apache-2.0
"""Parameters of the network and of how it is run."""

from __future__ import annotations

from dataclasses import dataclass

from depthpro_ros.node.parameter_spec import row

DEVIATION = "All but the default is approximate: docs/performance.md has the measured deviation."


@dataclass(frozen=True)
class NetworkParameters:
    """Which network, where and how it computes."""

    model: str = row(
        "auto",
        "Which network: a registered name (depth_pro, depth_pro_nano, depthart_ar), a path to its weights, or auto, "
        "which is Apple's weights where they are found and else the small bundled model. The depth of depthart_ar is "
        "up to scale: see scale_source.",
    )
    device: str = row("auto", "Where the network computes: auto, cpu, cuda or cuda:N.")
    precision: str = row(
        "auto",
        "Number format of the network.",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    memory: str = row(
        "auto",
        "low computes the same depth in less memory, more slowly; auto does so only once memory did not suffice.",
        choices=("auto", "low"),
    )
    resolution: str = row(
        "full",
        "Side of the network's input: as published, or two thirds or half of that, which is faster. " + DEVIATION,
        choices=("full", "two_thirds", "half"),
    )
    quantise: str = row(
        "off",
        "Whether the large matrix products are computed in 8 bits, faster where the hardware has them. " + DEVIATION,
        choices=("off", "int8", "fp8"),
    )
    accelerate: str = row(
        "auto",
        "How the network is run: eager step by step, graphs as recorded CUDA graphs, compile by torch.compile, which "
        "takes long at the start. auto chooses for the device.",
        choices=("auto", "eager", "graphs", "compile"),
    )
    reuse_tiles: float = row(
        0.0,
        "For cameras that do not move: windows of the image that changed by less than this, on average over their "
        "pixels and in 8-bit levels, are not computed again; 0 computes all. " + DEVIATION,
        bounds=(0.0, 64.0),
    )
    decoding: str = row(
        "argmax",
        "How depthart_ar chooses its tokens. argmax takes the likeliest code. sampled takes the mean of several that "
        "are drawn. spread makes several passes with one drawn code each, and publishes depth/confidence. All give "
        "the same depth for the same image.",
        choices=("argmax", "sampled", "spread"),
    )
    samples: int = row(5, "How many are drawn for decoding sampled and spread.", bounds=(1, 1000))
    seed: int = row(0, "The draws of each image start from this seed.", bounds=(0, 10**6))
    autostart: bool = row(True, "Configure and activate without waiting for a lifecycle manager.")
