# SPDX-License-Identifier: Apache-2.0
"""Experiments with training, run by hand: `python -m benchmarks.ablations`. Speed is measured by `depthpro bench`."""
