# SPDX-License-Identifier: Apache-2.0
"""Evaluations: frames from a source, depth from a predictor, scores into a folder."""
