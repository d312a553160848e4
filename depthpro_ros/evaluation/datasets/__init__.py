# SPDX-License-Identifier: Apache-2.0
"""Public data sets, read from folders that the user has; nothing is ever downloaded."""

from depthpro_ros.evaluation.datasets.dataset import Dataset, ids_sha256
from depthpro_ros.evaluation.datasets.frame import DatasetFrame, Extras, Plane
from depthpro_ros.evaluation.datasets.registry import DATASETS, open_dataset

__all__ = ["DATASETS", "Dataset", "DatasetFrame", "Extras", "Plane", "ids_sha256", "open_dataset"]
