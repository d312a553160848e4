# SPDX-License-Identifier: Apache-2.0
"""What the package costs on this machine: `depthpro bench`, which writes benchmarks/results and docs/performance.md."""
