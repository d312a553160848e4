# SPDX-License-Identifier: Apache-2.0
"""All targets by name."""

from __future__ import annotations

from test.fuzz import bag_targets, config_targets, dataset_targets, image_targets, sensor_targets, weights_targets
from test.fuzz.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for module in (image_targets, sensor_targets, weights_targets, bag_targets, config_targets, dataset_targets)
    for target in module.TARGETS
}
