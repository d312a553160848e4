# SPDX-License-Identifier: Apache-2.0
"""DepthART against teacher forcing on equal terms; `python -m benchmarks.depthart` writes docs/depthart.md."""
