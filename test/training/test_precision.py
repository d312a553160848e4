# SPDX-License-Identifier: Apache-2.0
"""In which number format a device trains."""

from __future__ import annotations

import pytest
import torch

from depthpro_ros import machine
from depthpro_ros.training import precision
from depthpro_ros.training.precision import in_bfloat16

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"avx512f", "avx512_bf16"}, True),
        ({"amx_tile", "amx_bf16"}, True),
        ({"avx512f", "avx2"}, False),
        (set(), False),
    ],
)
def test_auto_is_what_the_processor_has_units_for(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], expected: bool
) -> None:
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset(flags))
    assert in_bfloat16("auto", CPU) is expected


@pytest.mark.parametrize(("asked", "expected"), [("bfloat16", True), ("float32", False)])
def test_what_is_asked_for_is_done_on_any_processor(
    monkeypatch: pytest.MonkeyPatch, asked: precision.Precision, expected: bool
) -> None:
    for flags in (frozenset(), machine.BFLOAT16_UNITS):
        monkeypatch.setattr(precision, "cpu_flags", lambda flags=flags: flags)
        assert in_bfloat16(asked, CPU) is expected


@pytest.mark.skipif(machine.cpu_flags() == frozenset(), reason="the processor's flags are told on Linux only")
def test_flags_agree_with_pytorch() -> None:
    if torch.backends.cpu.get_cpu_capability() == "AVX512":
        assert "avx512f" in machine.cpu_flags()
    assert ("avx512_bf16" in machine.cpu_flags()) == torch.cpu._is_avx512_bf16_supported()


@pytest.mark.gpu
def test_a_gpu_that_pytorch_calls_able_is() -> None:
    assert in_bfloat16("auto", torch.device("cuda")) == torch.cuda.is_bf16_supported(including_emulation=False)
