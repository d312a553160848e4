# SPDX-License-Identifier: Apache-2.0
"""Names of machines."""

from __future__ import annotations

import pytest

from depthpro_ros.bench.provenance import slug


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("NVIDIA H200; Intel(R) Xeon(R) Platinum 8468, 16 cores, AMX", "nvidia-h200"),
        ("Intel(R) Xeon(R) Processor @ 2.50GHz, 2 cores, AVX-512", "intel-xeon-2-50ghz-2-cores-avx-512"),
        ("AMD EPYC 7B13, 2 cores, AVX2", "amd-epyc-7b13-2-cores-avx2"),
    ],
)
def test_a_results_file_is_called_after_what_computes(device, name):
    assert slug(device) == name
