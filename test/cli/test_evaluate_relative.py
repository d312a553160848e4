# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate` of a model whose depth is up to scale, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("rosbags")
pytest.importorskip("pydantic")

import numpy as np
import torch

import depthpro_ros.models
from depthpro_ros.cli.main import main
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topic_info import list_topics
from test.evaluation.datasets import trees
from test.evaluation.datasets.trees import BOX, box
from test.evaluation.run.relative_world import ReadsRelative
from test.evaluation.run.world import write_bag


class KnowsTheShape(ReadsRelative):
    """Knows the truth of the data sets' fixtures, over its 98th percentile."""

    def relative(self, rgb) -> torch.Tensor:
        depth = np.asarray(box(*rgb.shape[:2]), np.float32)
        return torch.from_numpy(depth / np.float32(np.percentile(depth, 98)))


class Loader:
    """Stands for `load_estimator`: keeps what was asked for."""

    def __init__(self, kind: type[ReadsRelative] = ReadsRelative) -> None:
        self.kind, self.loaded = kind, list[ReadsRelative]()

    def __call__(self, model: str, **options: object) -> ReadsRelative:
        self.loaded.append(self.kind(options=options))
        return self.loaded[-1]


@pytest.fixture
def loader(monkeypatch) -> Loader:
    loader = Loader()
    monkeypatch.setattr(depthpro_ros.models, "load_estimator", loader)
    return loader


@pytest.fixture
def shapes(loader) -> Loader:
    loader.kind = KnowsTheShape
    return loader


@pytest.fixture
def bag(tmp_path) -> Path:
    return write_bag(tmp_path / "drives" / "drive", 4)


def run(*arguments: object) -> int:
    return main(["evaluate", *map(str, arguments)])


def summary(folder: Path):
    return json.loads((folder / "summary.json").read_text())


def test_a_bag_is_scored_after_alignment_and_the_report_says_so(loader, bag, tmp_path, capsys):
    assert run("bag", bag, "-o", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    assert "reads_relative, depth up to scale, on bag drive" in shown and "median ratio" in shown
    found = summary(tmp_path / "out")
    assert found["run"]["model"]["metric"] is False
    assert found["run"]["settings"]["alignments"] == ["median_ratio", "affine_disparity"]
    assert found["figures"]["abs_rel@median_ratio"]["mean"] == pytest.approx(0, abs=1e-6)
    assert "abs_rel" not in found["figures"] and found["scale"] is None
    page, report = ((tmp_path / "out" / name).read_text() for name in ("report.html", "report.md"))
    for text in (shown, report, page.split("<script")[0]):
        assert "metres as predicted" not in text
    assert "After median ratio, from every" in report and "up to scale: figures are after alignment" in report
    assert "after median ratio. Bias above" in page and '"metric":false' in page


@pytest.mark.parametrize("align", ["none", "median_ratio,none"])
@pytest.mark.parametrize("command", ["bag", "fleet"])
def test_figures_in_metres_are_refused_before_anything_is_written(loader, bag, tmp_path, capsys, command, align):
    options = ("--no-ray",) if command == "fleet" else ()
    where = bag.parent if command == "fleet" else bag
    assert run(command, where, "-o", tmp_path / "out", "--align", align, *options) == 2
    assert "--align median_ratio" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_criterion_without_alignment_fails_and_names_the_one_to_ask_for(loader, bag, tmp_path, capsys):
    assert run("bag", bag, "-o", tmp_path / "out", "--fail-if", "abs_rel>0.1") == 1
    assert "as abs_rel@median_ratio" in capsys.readouterr().err
    assert run("bag", bag, "-o", tmp_path / "out", "--force", "--fail-if", "abs_rel@median_ratio>0.1") == 0


def test_the_decoding_reaches_the_model_and_stands_beside_the_results(loader, bag, tmp_path, capsys):
    decoding = ("--decoding", "sampled", "--samples", 3, "--seed", 7)
    assert run("bag", bag, "-o", tmp_path / "out", *decoding) == 0
    options = loader.loaded[0].options
    assert {name: options[name] for name in ("decoding", "samples", "seed")} == {
        "decoding": "sampled", "samples": 3, "seed": 7,
    }  # fmt: skip
    assert summary(tmp_path / "out")["run"]["model"]["decoding"] == "sampled, 3 samples, seed 7"
    # figures of two decodings are never mixed
    assert run("bag", bag, "-o", tmp_path / "out", "--resume", "--decoding", "argmax") == 2
    assert "another model" in capsys.readouterr().err


def test_a_decoding_that_was_not_given_is_not_handed_on(loader, bag, tmp_path):
    assert run("bag", bag, "-o", tmp_path / "out", "--limit", 1) == 0
    assert not {"decoding", "samples", "seed"} & set(loader.loaded[0].options)


def test_an_interrupted_bag_goes_on_to_the_same_figures(loader, bag, tmp_path):
    assert run("bag", bag, "-o", tmp_path / "whole") == 0
    loader.kind = lambda **options: ReadsRelative(fails_at=2, **options)
    assert run("bag", bag, "-o", tmp_path / "broken") == 130
    loader.kind = ReadsRelative
    assert run("bag", bag, "-o", tmp_path / "broken", "--resume") == 0
    whole, broken = (summary(tmp_path / name)["figures"] for name in ("whole", "broken"))
    for name in ("abs_rel@median_ratio", "flicker", "boundary_f1"):
        assert broken[name] == whole[name]


def test_the_output_bag_has_depth_without_a_unit_and_none_in_metres(loader, bag, tmp_path):
    assert run("bag", bag, "-o", tmp_path / "out", "--output-bag") == 0
    with Recording(tmp_path / "out" / "bag") as recording:
        topics = {topic.name for topic in list_topics(recording)}
    assert {"/depth/relative", "/error/image", "/truth/image"} <= topics
    assert not {"/depth/image", "/depth/points"} & topics


def test_a_fleet_is_scored_as_its_bags_are(loader, bag, tmp_path):
    write_bag(bag.parent / "other", 3)
    decoding = ("--decoding", "argmax")
    assert run("fleet", bag.parent, "-o", tmp_path / "fleet", "--no-ray", "--shard-frames", 2, *decoding) == 0
    assert run("bag", bag, "-o", tmp_path / "bag", *decoding) == 0
    fleet, alone = summary(tmp_path / "fleet"), summary(tmp_path / "bag")
    assert fleet["run"]["model"] == alone["run"]["model"] and fleet["frames"]["evaluated"] == 7
    assert fleet["run"]["settings"]["alignments"] == alone["run"]["settings"]["alignments"]
    scene = next(values for name, values in fleet["scenes"].items() if name.endswith("drive"))
    assert scene["abs_rel@median_ratio"] == pytest.approx(alone["figures"]["abs_rel@median_ratio"]["mean"])


def test_one_data_set_takes_the_ordinary_options(shapes, tmp_path):
    trees.sintel(tmp_path / "sintel")
    assert run("dataset", "sintel", tmp_path, "-o", tmp_path / "out", "--align", "weighted_median,median_ratio") == 0
    found = summary(tmp_path / "out")
    assert found["figures"]["abs_rel@weighted_median"]["mean"] == pytest.approx(0, abs=1e-6)
    assert found["run"]["settings"]["alignments"] == ["weighted_median", "median_ratio"]
    assert run("dataset", "sintel", tmp_path, "-o", tmp_path / "no", "--align", "none") == 2
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("decoding", ["argmax", "sampled"])
def test_depthart_s_table_has_a_row_for_each_decoding(shapes, tmp_path, decoding):
    for write in (trees.eth3d, trees.tum_humans, trees.nyuv2, trees.ibims1):
        write(tmp_path / "data" / write.__name__)
    assert run("dataset", "depthart", tmp_path / "data", "-o", tmp_path / "out", "--decoding", decoding) == 0
    (model,) = shapes.loaded
    assert set(model.sizes) == {(256, 256)} and model.options["decoding"] == decoding
    table = json.loads((tmp_path / "out" / "table.json").read_text())
    assert table["model"]["metric"] is False and {each["row"] for each in table["results"]} == {
        f"reads_relative, {decoding}"
    }
    found = {(each["set"], metric): v["value"] for each in table["results"] for metric, v in each["values"].items()}
    for title in ("ETH3D", "TUM", "NYU"):
        assert found[title, "delta1_complement"] == 0 and found[title, "abs_rel"] == pytest.approx(0, abs=1e-6)
    text = (tmp_path / "out" / "table.md").read_text()
    assert f"| **reads_relative, {decoding}** |" in text and "never in metres" in text
    settings = summary(tmp_path / "out" / "nyuv2")["run"]["settings"]
    assert settings["alignments"] == ["median_ratio", "weighted_median"]
    assert "256x256" in settings["extra"]["preparation"]


def test_planes_are_scored_up_to_scale(shapes, tmp_path):
    """A wall that faces the camera is flat, whatever the unit."""
    flat = np.full((48, 64), 3, np.float32)
    trees.ibims1(tmp_path / "data/ibims1", [flat], [[(0, 1, 0)]])
    shapes.kind = type("Wall", (ReadsRelative,), {"relative": lambda self, rgb: torch.ones(rgb.shape[:2])})
    assert run("dataset", "depthart", tmp_path / "data", "--set", "iBims", "-o", tmp_path / "out") == 0
    (result,) = json.loads((tmp_path / "out" / "table.json").read_text())["results"]
    assert result["values"]["pe_fla"]["value"] == pytest.approx(0, abs=1e-4)
    assert result["values"]["pe_ori"]["value"] == pytest.approx(0, abs=1e-4)


def test_boundaries_need_no_metres(shapes, tmp_path):
    trees.sintel(tmp_path / "data/sintel", [BOX])
    assert run("dataset", "depth_pro_boundaries", tmp_path / "data", "-o", tmp_path / "out") == 0
    (result,) = json.loads((tmp_path / "out" / "table.json").read_text())["results"]
    assert result["values"]["boundary_f1"]["value"] == pytest.approx(1)


def test_tables_of_metres_are_refused(shapes, tmp_path, capsys):
    trees.sintel(tmp_path / "data/sintel")
    assert run("dataset", "depth_pro_zero_shot", tmp_path / "data", "-o", tmp_path / "out") == 2
    message = capsys.readouterr().err
    assert "delta1 are of depth in metres" in message and "--align median_ratio" in message
    assert not (tmp_path / "out").exists()
