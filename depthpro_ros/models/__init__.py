# SPDX-License-Identifier: Apache-2.0
"""Depth models behind one door: `load_estimator`."""

from depthpro_ros.models.estimator import Estimator, EstimatorInfo, Prediction
from depthpro_ros.models.loading import load_estimator

__all__ = ["Estimator", "EstimatorInfo", "Prediction", "load_estimator"]
