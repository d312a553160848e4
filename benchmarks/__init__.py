# SPDX-License-Identifier: Apache-2.0
"""Speed and memory, printed: `python -m benchmarks` (or `make bench`)."""
