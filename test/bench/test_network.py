# SPDX-License-Identifier: Apache-2.0
"""The part "network", with a network that is made small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from depthpro_ros.bench.builders import Task, build, transformers_config
from depthpro_ros.bench.contestant import POST, stage_seconds
from depthpro_ros.bench.flops import frame_flops
from depthpro_ros.bench.model_options import ModelOptions
from depthpro_ros.bench.network import measure
from depthpro_ros.bench.network_groups import Entrant, Group, groups
from depthpro_ros.bench.network_memory import BYTES, NUMBERS_AT_WORK, WEIGHTS, fitting
from depthpro_ros.bench.random_weights import write_random_weights
from depthpro_ros.bench.results import Figure, RunContext
from depthpro_ros.bench.seat import ContestantDied, Seat
from depthpro_ros.models.depth_pro.inference import STAGES
from depthpro_ros.models.depth_pro.presets import PRESETS

OURS, OTHER = Entrant("ours", "merged"), Entrant("other", "unmerged")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "pico.safetensors"
    write_random_weights(PRESETS["pico"], path)
    return path


@pytest.fixture
def task(weights: Path) -> Task:
    return Task("merged", "cpu", "float32", weights, "pico")


def test_a_task_survives_its_command_line(task):
    task = replace(task, fov=False, options=ModelOptions(memory="low", reuse_tiles=2.0))
    assert Task.from_json(task.to_json()) == task


@pytest.mark.slow
def test_contestants_compute_on_command_in_processes_of_their_own(weights, tmp_path):
    said: list[str] = []
    context = RunContext("cpu", 0.0, tmp_path, weights, said.append)
    result = measure(context, (Group("Both", "float32", (OURS, OTHER)),), ("Something is left out.",), "pico")
    comparison, stages = result.tables
    assert [row.label for row in comparison.rows] == ["ours", "other", "floor, depth and field of view"]
    ratio, memory = comparison.rows[1].cells[2:4]
    assert isinstance(ratio, Figure) and ratio.unit == "x" and ratio.value > 0
    # at least torch is in memory, and less than the test machine has
    assert isinstance(memory, Figure) and 0.1 < memory.value < 4
    assert [row.label for row in stages.rows] == [*STAGES, POST]
    assert stages.notes[-1] == "Something is left out."


def test_an_optional_group_that_takes_longer_than_there_is_is_left_out_and_said(weights, tmp_path):
    planned = (
        Group("First", "float32", (OTHER,)),
        Group("Second", "float32", (OTHER, OURS), optional=True),
    )
    result = measure(RunContext("cpu", 0.0, tmp_path, weights, lambda line: None), planned, size="pico")
    assert [table.title for table in result.tables] == ["First"]
    assert "Second: not measured" in result.tables[0].notes[-1] and "--minutes" in result.tables[0].notes[-1]


@pytest.mark.slow
def test_who_cannot_be_built_has_a_reason_and_the_others_run(weights, tmp_path):
    wrong = Entrant("wrong", "merged", options=ModelOptions(quantise="int3"))
    group = Group("Both", "float32", (OTHER, wrong))
    result = measure(RunContext("cpu", 0.0, tmp_path, weights, lambda line: None), (group,), size="pico")
    cells = {row.label: row.cells for row in result.tables[0].rows}
    assert "int3" in str(cells["wrong"][0])
    assert isinstance(cells["other"][0], Figure)


def test_a_contestant_that_dies_is_named(task, tmp_path):
    with Seat("the one", task, tmp_path / "log") as seat:
        assert seat.ready().problem == ""
        seat._process.kill()
        with pytest.raises(ContestantDied, match="signal 9") as died:
            seat.turn()
    assert died.value.name == "the one"


def test_stages_are_told_in_the_network_s_own_order(task):
    assert list(stage_seconds(build(task), "cpu")) == [*STAGES, POST]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_s_own_clock_times_every_stage(task):
    eager = replace(task, device="cuda:0", precision="float16", options=ModelOptions(accelerate="eager"))
    with torch.inference_mode():
        stages = stage_seconds(build(eager), "cuda:0")
    assert list(stages) == [*STAGES, POST] and all(seconds > 0 for seconds in stages.values())


def test_every_stage_of_the_network_has_its_operations():
    flops = frame_flops(PRESETS["pico"])
    assert all(flops.stage(name) > 0 for name in STAGES)


def test_transformers_network_has_as_many_weights_as_ours():
    transformers = pytest.importorskip("transformers", reason="the implementation to compare with is not installed")
    from depthpro_ros.models.depth_pro import DepthPro

    # pico's transformers are equally wide, as transformers' implementation wants them
    config = replace(PRESETS["pico"], fov_encoder=PRESETS["pico"].patch_encoder, head_dim=32)
    with torch.device("meta"):
        ours, theirs = DepthPro(config), transformers.DepthProForDepthEstimation(transformers_config(config))
    count = sum(p.numel() for name, p in theirs.named_parameters() if "mask_token" not in name)
    assert count == sum(p.numel() for p in ours.parameters())


def test_bfloat16_is_compared_only_where_the_processor_has_it():
    with_it, nothing_left_out = groups(False, frozenset({"amx_bf16"}))
    without, left_out = groups(False, frozenset({"avx512f"}))
    assert any(group.precision == "bfloat16" for group in with_it) and not nothing_left_out
    assert all(group.precision == "float32" for group in without) and "bfloat16" in left_out[0]


@pytest.mark.parametrize(("room", "sizes"), [(5.0, [5]), (4.5, [4, 2]), (3.0, [3, 3]), (2.0, [2, 2, 2, 2]), (1.9, [0])])
def test_groups_are_cut_so_that_their_entrants_fit_into_memory(room, sizes):
    entrants = (OURS, *(replace(OTHER, name=str(number)) for number in range(4)))
    free = BYTES["float32"] * (room * WEIGHTS + NUMBERS_AT_WORK)
    cut = fitting(Group("All", "float32", entrants), free, on_cuda=False)
    assert [len(group.entrants) for group in cut] == sizes
    assert all(group.entrants[0] == OURS for group in cut if group.entrants)
    if room >= 2:
        assert {entrant for group in cut for entrant in group.entrants} == set(entrants)
