# SPDX-License-Identifier: Apache-2.0
"""The part "depthart", with networks that are made small."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from depthpro_ros.bench.builders import Task, build
from depthpro_ros.bench.contestant import stage_seconds
from depthpro_ros.bench.depthart import depthart_groups, measure, with_nano
from depthpro_ros.bench.depthart_flops import depthart_flops
from depthpro_ros.bench.depthart_frame import STAGES, depthart_picture, marked_frame
from depthpro_ros.bench.depthart_nano import nano_table, ways
from depthpro_ros.bench.depthart_plain import PlainDepthArt
from depthpro_ros.bench.model_options import ModelOptions
from depthpro_ros.bench.network_groups import Entrant, Group
from depthpro_ros.bench.pictures import Picture
from depthpro_ros.bench.random_weights import write_random_depthart
from depthpro_ros.bench.results import Figure, PartResult, RunContext
from depthpro_ros.models.depthart.inference import DepthArtNetwork
from depthpro_ros.models.depthart.presets import FULL, PICO
from depthpro_ros.models.depthart.sampling import DECODINGS, DecodingSettings
from test.models.depthart.conftest import CONFIGS, random_model

PX = PICO.tokenizer.image_px


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "pico.safetensors"
    write_random_depthart(PICO, path)
    return path


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    return RunContext("cpu", 0.0, tmp_path, say=lambda line: None)


@pytest.mark.parametrize("name", ["var", "plain queries"])
@torch.no_grad()
def test_the_plain_composition_chooses_our_codes_and_says_our_depth(name):
    model = random_model(CONFIGS[name])
    ours = DepthArtNetwork(model, torch.float32, DecodingSettings())
    rgb = torch.randint(0, 256, (2, PX, PX, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    relative, codes = PlainDepthArt(model, torch.float32)(rgb)
    squares = ours.squares(rgb)
    assert codes[-1].unique().numel() > 2  # else nothing would be compared
    assert all(torch.equal(a, b) for a, b in zip(codes, ours.roll_out(squares).codes, strict=True))
    torch.testing.assert_close(relative, ours(squares).relative, rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_frame_cut_into_stages_is_the_frame():
    network = DepthArtNetwork(random_model(PICO), torch.float32, DecodingSettings(decoding="sampled"))
    rgb, stages = depthart_picture(PX), []
    cut = marked_frame(network, rgb)(stages.append)
    assert torch.equal(cut, network(network.squares(torch.from_numpy(rgb)[None])).relative)
    assert tuple(stages) == STAGES


@pytest.mark.parametrize("builder", ["depthart", "depthart plain"])
def test_every_stage_of_both_is_timed(builder, weights):
    built = build(Task(builder, "cpu", "float32", weights))
    assert tuple(stage_seconds(built, "cpu")) == STAGES


def test_the_published_network_takes_1_244_tflop():
    # counted apart from this project, by torch's FlopCounterMode on the published modules
    assert depthart_flops(FULL).total / 1e9 == pytest.approx(1244, abs=0.5)


def test_operations_of_every_stage_are_those_that_torch_counts():
    counts = [0]
    network = PlainDepthArt(random_model(PICO).to("meta"), torch.float32)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        rgb = torch.zeros(1, PX, PX, 3, dtype=torch.uint8, device="meta")
        network(rgb, lambda stage: counts.append(counter.get_total_flops()))
    assert depthart_flops(PICO).stages == tuple(b - a for a, b in itertools.pairwise(counts))


def test_bfloat16_stands_beside_our_float32_where_the_processor_has_it():
    with_it, nothing_left_out = depthart_groups(False, frozenset({"amx_bf16"}))
    without, left_out = depthart_groups(False, frozenset({"avx512f"}))
    assert [group.precision for group in with_it] == ["float32", "bfloat16"] and not nothing_left_out
    assert "float32" in {entrant.options.precision for entrant in with_it[1].entrants}
    assert [group.precision for group in without] == ["float32"] and "bfloat16" in left_out[0]


def test_on_a_gpu_graphs_stand_beside_eager():
    for group in depthart_groups(True, frozenset())[0]:
        assert {"auto", "eager"} <= {entrant.options.accelerate for entrant in group.entrants}
    assert list(ways(True))[:2] == ["argmax, graphs", "argmax, eager"]


@pytest.mark.slow
def test_contestants_take_turns_in_processes_of_their_own(context):
    entrants = (Entrant("ours", "depthart"), Entrant("plain", "depthart plain"))
    result = measure(context, (Group("Both", "float32", entrants),), size="pico")
    comparison, *stages = result.tables
    assert [row.label for row in comparison.rows] == ["ours", "plain", "floor"]
    assert [table.title for table in stages] == ["Stages: ours, float32", "Stages: plain, float32"]
    assert all(tuple(row.label for row in table.rows) == STAGES for table in stages)


def test_every_decoding_of_the_bundled_model_has_its_rate(weights, context):
    picture = Picture("noise", depthart_picture(48), 40.0)
    table = nano_table(weights, picture, replace(context, seconds=0.1))
    assert tuple(row.label for row in table.rows) == DECODINGS
    assert all(isinstance(row.cells[1], Figure) and row.cells[1].value > 0 for row in table.rows)


def test_a_missing_model_is_said(context):
    result = with_nano(PartResult.skip("depthart", "No memory."), context, Path("nowhere/nano.safetensors"))
    assert result.skipped == "No memory. The bundled model is not measured: nano.safetensors is not there."


def test_an_entrant_s_own_precision_stands(weights):
    task = Task("depthart", "cpu", "bfloat16", weights, options=ModelOptions(precision="float32"))
    assert Task.from_json(task.to_json()) == task
    own, group_s = (build(t).run() for t in (task, replace(task, options=ModelOptions())))
    assert not torch.equal(own.relative_depth, group_s.relative_depth)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_graphs_and_the_plain_composition_run_on_a_gpu(weights):
    eager = ModelOptions(accelerate="eager")
    with torch.inference_mode():
        for builder, options in (("depthart", ModelOptions()), ("depthart", eager), ("depthart plain", eager)):
            built = build(Task(builder, "cuda:0", "float16", weights, options=options))
            built.run()
            if options == eager:
                stages = stage_seconds(built, "cuda:0")
                assert tuple(stages) == STAGES and all(seconds > 0 for seconds in stages.values())
