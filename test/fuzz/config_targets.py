# SPDX-License-Identifier: Apache-2.0
"""What users write: training and protocol files, criteria, the node's parameters."""

from __future__ import annotations

import json
from collections.abc import Sequence

from depthpro_ros.evaluation.protocol import read_protocol
from depthpro_ros.evaluation.report.criteria import Criterion
from depthpro_ros.node.parameters import TABLE, Settings
from depthpro_ros.training.config import config_from, read_yaml
from depthpro_ros.training.depthart.config import art_config_from
from test.fuzz.target import Target, file_of

_TRAINING = b"""output: out
network: nano
datasets:
  scenes: {type: scenes, weight: 1.0}
stages:
- {name: one, steps: 10, batch: 2, losses: {synthetic_metric: {mae: 1.0}}}
"""
_ART_TRAINING = b"""model: depthart_ar
network: {tokenizer: {channels: 32}}
output: out
datasets:
  a: &a {type: scenes}
  b: *a
stages:
- {name: one, train: tokenizer, steps: 10, batch: 2, optimiser: {lr: 1.0e-4, betas: [0.9, 0.95]}}
"""
_PROTOCOL = b"""title: a table
source: a paper
metrics: {delta1: percent}
alignment: none
focal: camera
headline_system: Ours
sets:
- title: KITTI
  dataset: kitti
  options: {split: val}
  depth_m: [0.001, 80.0]
  published: {Ours: {delta1: 98.2}}
"""
_YAML_TOKENS = (
    b"&a ", b"*a", b"!!python/object:os.system ", b"!!binary ", b": ", b"\n- ", b"\n  ", b"2001-01-01", b"~", b"0x_",
    b"!!timestamp 1", b"<<: ", b"? ", b"|\n", b"%YAML 9.9\n", b"0b", b"1:1:1", b"!!int ",
)  # fmt: skip


def training_config(content: bytes) -> None:
    """A training run's YAML, as either model's."""
    raw = read_yaml(file_of("train.yaml", content))
    if "model" in raw:
        art_config_from(raw)
    else:
        config_from(raw)


def protocol(content: bytes) -> None:
    """A protocol's YAML."""
    read_protocol(file_of("protocol.yaml", content))


def criterion(content: bytes) -> None:
    """A condition on the command line."""
    Criterion.parse(content.decode("utf-8", "replace"))


def node_parameters(content: bytes) -> None:
    """Values of parameters, as JSON tells them apart."""
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        return
    if isinstance(values, dict):
        Settings().replaced(values)


def _parameters() -> Sequence[bytes]:
    values = {spec.name: list(spec.default) if isinstance(spec.default, tuple) else spec.default for spec in TABLE}
    changed = values | {"ranges_extrinsics": [0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 1.0], "cameras": ["front", "rear"]}
    return [json.dumps(values).encode(), json.dumps(changed).encode()]


TARGETS = (
    Target(
        "training_config",
        training_config,
        lambda: [_TRAINING, _ART_TRAINING],
        _YAML_TOKENS,
    ),
    Target("protocol", protocol, lambda: [_PROTOCOL], _YAML_TOKENS),
    Target("criterion", criterion, lambda: [b"abs_rel>0.12", b"delta1@median_scale<=0.5"], (b"@", b">=", b"1e999")),
    Target("node_parameters", node_parameters, _parameters),
)
