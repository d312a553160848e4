# SPDX-License-Identifier: Apache-2.0
"""The number format that a network is trained in; its weights are kept in float32."""

from __future__ import annotations

from typing import Literal

import torch

from depthpro_ros.machine import BFLOAT16_UNITS, cpu_flags

Precision = Literal["auto", "bfloat16", "float32"]


def in_bfloat16(precision: Precision, device: torch.device) -> bool:
    """Whether a device is to multiply in bfloat16, by autocast; `auto` means where it has units for that.

    A processor without them converts each number to float32 and back, and is slower than in float32.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(BFLOAT16_UNITS & cpu_flags())
