# SPDX-License-Identifier: Apache-2.0
"""Choices that are spelled out, so that help need not import what they are of."""

from __future__ import annotations

from typing import get_args

from depthpro_ros.cli import arguments
from depthpro_ros.cli.evaluate import bag_options, options
from depthpro_ros.evaluation.alignment import AlignmentMode
from depthpro_ros.evaluation.bags.presets import PRESETS
from depthpro_ros.evaluation.run import scoring
from depthpro_ros.models.depthart import sampling


def test_choices_and_defaults_are_those_of_the_evaluation():
    assert get_args(AlignmentMode) == options.ALIGNMENTS
    assert get_args(scoring.MetricGroup) == options.METRICS
    assert scoring.DEFAULT_ALIGNMENTS == options.DEFAULT_ALIGNMENTS
    assert scoring.DEFAULT_METRICS == options.DEFAULT_METRICS
    assert (scoring.DEFAULT_MASK.min_depth_m, scoring.DEFAULT_MASK.max_depth_m) == (
        options.MIN_DEPTH_M,
        options.MAX_DEPTH_M,
    )
    assert (*PRESETS, "none") == bag_options.PRESETS


def test_decodings_are_those_of_the_model():
    assert arguments.DECODINGS == sampling.DECODINGS
