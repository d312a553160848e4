# SPDX-License-Identifier: Apache-2.0
"""How good a depth map is: metrics, and the trivial predictors that a model must beat."""
