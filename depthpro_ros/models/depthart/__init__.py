# SPDX-License-Identifier: Apache-2.0
"""DepthART: depth up to scale by autoregressive refinement (arXiv 2409.15010)."""
