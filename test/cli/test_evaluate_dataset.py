# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate dataset`, as a user types it, on tiny data sets in their true form.

The model knows the truth, times a factor, so every value of a table is known beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("pydantic")

import depthpro_ros.models
from depthpro_ros.cli.main import main
from depthpro_ros.models.estimator import EstimatorInfo, Prediction
from test.evaluation.datasets import trees
from test.evaluation.datasets.trees import BOX, box

ZERO_SHOT = {
    "Booster": trees.booster,
    "ETH3D": trees.eth3d,
    "Middlebury": trees.middlebury_v3,
    "nuScenes": trees.nuscenes,
    "Sintel": trees.sintel,
    "Sun-RGBD": trees.sun_rgbd,
}
FOLDERS = {"Middlebury": "middlebury_v3", "Sun-RGBD": "sun_rgbd"}


@dataclass
class KnowsTheTruth:
    """An estimator that knows what is in the image.

    Attributes:
        factor: of its depth where the focal length is told.
        focal_factor: what is more of it where it is not.
        focal_px: its own estimate.
        depth_m: of an image of a height and width.
        sizes: (height, width) of the images that it saw.
        stops_at: number of the call at which somebody presses Ctrl-C; -1 for never.
    """

    factor: float = 1.0
    focal_factor: float = 1.0
    focal_px: float = 30.0
    depth_m: Callable[[int, int], Any] = box
    sizes: list[tuple[int, int]] = field(default_factory=list)
    stops_at: int = -1
    info: EstimatorInfo = field(default_factory=lambda: EstimatorInfo("knows_the_truth", "", 1, "cpu", "float32"))

    def predict(self, rgb, focal_px=None) -> Prediction:
        if len(self.sizes) == self.stops_at:
            raise KeyboardInterrupt
        self.sizes.append(rgb.shape[:2])
        factor = self.factor * (self.focal_factor if focal_px is None else 1)
        focal = self.focal_px if focal_px is None else focal_px
        depth = torch.from_numpy(np.asarray(self.depth_m(*rgb.shape[:2]), np.float32)) * factor
        return Prediction(depth, torch.tensor(float(focal)), None)


@pytest.fixture
def model(monkeypatch) -> KnowsTheTruth:
    estimator = KnowsTheTruth()
    monkeypatch.setattr(depthpro_ros.models, "load_estimator", lambda *_, **__: estimator)
    return estimator


@pytest.fixture
def six(tmp_path) -> Path:
    """All sets of the zero-shot table."""
    for title, write in ZERO_SHOT.items():
        write(tmp_path / "data" / FOLDERS.get(title, title.lower()))
    return tmp_path / "data"


@pytest.fixture
def sintel(tmp_path) -> Path:
    trees.sintel(tmp_path / "data/sintel")
    return tmp_path / "data"


def run(*arguments: object) -> int:
    return main(["evaluate", "dataset", *map(str, arguments)])


def table(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "table.json").read_text())


def values(folder: Path) -> dict[tuple[str, str], float]:
    """By set and metric."""
    results = table(folder)["results"]
    return {(each["set"], metric): v["value"] for each in results for metric, v in each["values"].items()}


@pytest.mark.parametrize(("factor", "delta1"), [(1.2, 100.0), (1.3, 0.0), (0.79, 0.0)])
def test_the_zero_shot_table_is_of_metric_depth(model, six, tmp_path, factor, delta1):
    model.factor = factor
    assert run("depth_pro_zero_shot", six, "-o", tmp_path / "out") == 0
    assert values(tmp_path / "out") == {(title, "delta1"): pytest.approx(delta1) for title in ZERO_SHOT}
    for title in ZERO_SHOT:
        folder = tmp_path / "out" / FOLDERS.get(title, title.lower())
        summary = json.loads((folder / "summary.json").read_text())
        assert summary["figures"]["abs_rel"]["mean"] == pytest.approx(abs(factor - 1), rel=1e-3)
        assert summary["run"]["settings"]["alignments"] == ["none"]
        assert (folder / "report.html").exists()
    masks = {each["set"]: each["mask"] for each in table(tmp_path / "out")["results"]}
    assert masks["ETH3D"] == "depth in ]0.1, 200] m" and masks["nuScenes"] == "depth in ]0.001, 80] m"


def test_the_own_row_stands_beside_the_published_ones(model, six, tmp_path, capsys):
    assert run("depth_pro_zero_shot", six, "-o", tmp_path / "out") == 0
    lines = (tmp_path / "out" / "table.md").read_text().splitlines()
    assert "| Depth Pro | 46.6 | 41.5 | 60.5 | 49.1 | 40.0 | 89.0 |" in lines
    own = "| **knows_the_truth, camera's focal length** | 100.0 | 100.0 | 100.0 | 100.0 | 100.0 | 100.0 |"
    assert lines.index(own) == lines.index("| Depth Pro | 46.6 | 41.5 | 60.5 | 49.1 | 40.0 | 89.0 |") + 1
    shown = capsys.readouterr()
    row = next(line for line in shown.out.splitlines() if line.startswith("knows_the_truth"))
    assert row.split()[-6:] == ["100.0"] * 6
    assert "1 images, the published values are of 228" in shown.err


def test_a_value_is_inside_or_outside_of_a_band_and_no_more(model, tmp_path, capsys):
    # three of ten images are right: 30 %, of 24.1 * 0.95 to 40 * 1.05 expected
    trees.sintel(tmp_path / "data/sintel", [BOX] * 3 + [2 * BOX] * 7)
    trees.booster(tmp_path / "data/booster")
    assert run("depth_pro_zero_shot", tmp_path / "data", "-o", tmp_path / "out") == 0
    booster, film = table(tmp_path / "out")["results"]
    assert film["values"]["delta1"]["value"] == pytest.approx(30)
    assert film["values"]["delta1"]["band"] == pytest.approx([24.1 * 0.95, 40 * 1.05])
    assert (film["values"]["delta1"]["inside"], booster["values"]["delta1"]["inside"]) == (True, False)
    rows = [line.split(" | ") for line in (tmp_path / "out" / "table.md").read_text().splitlines()]
    verdicts = {row[0]: row[-2:] for row in rows if row[2:3] == ["delta1"]}
    assert verdicts == {"| Booster": ["44.3 to 51.2", "outside |"], "| Sintel": ["22.9 to 42.0", "inside |"]}
    (film_line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Sintel  ")]
    assert "30.0" in film_line and film_line.endswith("22.9 to 42.0   inside")


def test_both_focal_lengths_are_two_rows(model, sintel, tmp_path):
    model.focal_factor = 1.3
    assert run("depth_pro_zero_shot", sintel, "-o", tmp_path / "out", "--both-focals") == 0
    camera, own = table(tmp_path / "out")["results"]
    assert (camera["row"], camera["values"]["delta1"]["value"]) == ("knows_the_truth, camera's focal length", 100)
    assert (own["row"], own["values"]["delta1"]["value"]) == ("knows_the_truth, estimated focal length", 0)
    assert (camera["folder"], own["folder"]) == ("sintel", "sintel-estimated_focal")
    assert (camera["focal"], own["focal"]) == ("auto", "estimated")


def test_the_focal_length_may_be_chosen_where_the_source_does_not_say(model, sintel, tmp_path):
    model.focal_factor = 1.3
    assert run("depth_pro_zero_shot", sintel, "-o", tmp_path / "out", "--focal", "estimated") == 0
    assert values(tmp_path / "out") == {("Sintel", "delta1"): 0}


def test_images_without_depth_in_range_are_counted_and_not_scored(model, tmp_path):
    trees.sintel(tmp_path / "data/sintel", [BOX, BOX + 100])
    assert run("depth_pro_zero_shot", tmp_path / "data", "-o", tmp_path / "out") == 0
    (result,) = table(tmp_path / "out")["results"]
    assert result["images"]["evaluated"] == 2
    delta1 = result["values"]["delta1"]
    assert (delta1["value"], delta1["scored"], delta1["unscored"]) == (100, 1, 1)
    assert "Sintel: 1 of 2 images have no delta1: no ground truth in range" in result["notes"]


def test_pixels_without_a_prediction_are_misses_and_are_told(model, sintel, tmp_path):
    def half(height: int, width: int) -> Any:
        depth = box(height, width)
        depth[: height // 2] = np.nan
        return depth

    model.depth_m = half
    assert run("depth_pro_zero_shot", sintel, "-o", tmp_path / "out") == 0
    (result,) = table(tmp_path / "out")["results"]
    assert result["values"]["delta1"]["value"] == pytest.approx(50)
    assert "Sintel: 50.00% of the pixels with ground truth have no prediction" in result["notes"]


def test_boundaries_are_scored_as_the_published_code_does(model, tmp_path):
    """The scale of the depth does not matter; an image without an edge scores 0, where a mask would leave it out."""
    model.factor = 7.0
    root = tmp_path / "data"
    trees.sintel(root / "sintel", [BOX, np.full_like(BOX, 3)])
    for write in (trees.spring, trees.ibims1, trees.am2k, trees.p3m10k, trees.dis5k):
        write(root / write.__name__)
    assert run("depth_pro_boundaries", root, "-o", tmp_path / "out") == 0
    found = values(tmp_path / "out")
    assert found["Sintel", "boundary_f1"] == pytest.approx(0.5)
    assert found["Spring", "boundary_f1"] == found["iBims", "boundary_f1"] == pytest.approx(1)
    assert [found[title, "boundary_recall"] for title in ("AM", "P3M", "DIS")] == pytest.approx([1, 1, 1])
    assert len(found) == 6
    extra = json.loads((tmp_path / "out/sintel/run.json").read_text())["settings"]["extra"]
    assert extra["boundaries"] == "as the published code, without a mask"
    assert "| **knows_the_truth** | 0.500 | 1.000 | 1.000 |" in (tmp_path / "out" / "table.md").read_text()


def test_a_wall_without_a_box_has_none_of_the_boundaries(model, tmp_path):
    model.depth_m = lambda height, width: np.full((height, width), 3.0)
    trees.am2k(tmp_path / "data/am2k")
    trees.spring(tmp_path / "data/spring")
    assert run("depth_pro_boundaries", tmp_path / "data", "-o", tmp_path / "out") == 0
    assert values(tmp_path / "out") == {("Spring", "boundary_f1"): 0, ("AM", "boundary_recall"): 0}


def test_focal_lengths_are_judged_strictly_and_where_they_are_known(model, tmp_path):
    # 30 px estimated: 7 % off, 37.5 % off, exactly 50 % off, twice as much, and one that is unknown
    trees.photos(tmp_path / "data/FiveK", [28, 48, 60, 15, None])
    assert run("depth_pro_focal", tmp_path / "data", "-o", tmp_path / "out") == 0
    (result,) = table(tmp_path / "out")["results"]
    assert result["values"]["focal_within_25"]["value"] == pytest.approx(25)
    assert result["values"]["focal_within_50"]["value"] == pytest.approx(50)
    assert result["values"]["focal_within_25"]["scored"] == 4
    assert "FiveK: 1 of 5 images have no focal_within_25: their focal length is unknown" in result["notes"]
    assert "| **knows_the_truth, estimated focal length** |  | 25.0 |" in (tmp_path / "out" / "table.md").read_text()


def test_photographs_that_tell_no_focal_length_have_no_value(model, tmp_path):
    trees.photos(tmp_path / "data/RAISE", [None])
    assert run("depth_pro_focal", tmp_path / "data", "-o", tmp_path / "out") == 0
    assert values(tmp_path / "out") == {}
    assert "RAISE: no image has focal_within_25" in table(tmp_path / "out")["results"][0]["notes"]


def test_the_further_sets_have_two_metrics(model, tmp_path):
    model.factor = 1.2
    trees.ibims1(tmp_path / "data/ibims1")
    trees.nyuv2(tmp_path / "data/nyuv2", border_m=20.0)
    # the whole image is scored, but its border is beyond the range
    model.depth_m = lambda height, width: (
        np.pad(box(464, 624), 8) if (height, width) == (480, 640) else box(height, width)
    )
    assert run("depth_pro_other_sets", tmp_path / "data", "-o", tmp_path / "out") == 0
    found = values(tmp_path / "out")
    assert found["NYUv2", "delta1"] == found["iBims-1", "delta1"] == pytest.approx(100)
    assert found["NYUv2", "abs_rel"] == pytest.approx(0.2) and found["iBims-1", "abs_rel"] == pytest.approx(
        0.2, abs=1e-3
    )


def test_depthart_is_up_to_scale_and_at_256_pixels(model, tmp_path):
    model.factor = 1.3
    for write in (trees.eth3d, trees.tum_humans, trees.nyuv2, trees.ibims1):
        write(tmp_path / "data" / write.__name__)
    assert run("depthart", tmp_path / "data", "-o", tmp_path / "out") == 0
    assert set(model.sizes) == {(256, 256)}
    found = values(tmp_path / "out")
    for title in ("ETH3D", "TUM", "NYU"):
        assert found[title, "abs_rel"] == pytest.approx(0, abs=1e-6)
        assert found[title, "delta1_complement"] == 0
    # without alignment it would be 0.3 and 1; that is in the report and not in the table
    summary = json.loads((tmp_path / "out/nyuv2/summary.json").read_text())
    assert summary["figures"]["abs_rel"]["mean"] == pytest.approx(0.3)
    assert summary["pooled"]["median_ratio"]["pixels"] == 256 * 256
    # iBims is scored at its own size
    records = (tmp_path / "out/ibims1/frames.jsonl").read_text().splitlines()
    assert json.loads(records[0])["pixels"] == BOX.size


def test_planes_count_once_each_in_whichever_image(model, tmp_path):
    """Two walls that face the camera in one image, one that is turned by 30 degrees in another: 10 degrees, not 15."""
    model.depth_m = lambda height, width: np.full((height, width), 3.0)
    flat = np.full((48, 64), 3, np.float32)
    turned = (np.sin(np.pi / 6), np.cos(np.pi / 6), 0.0)
    trees.ibims1(tmp_path / "data/ibims1", [flat, flat, flat], [[(0, 1, 0)] * 2, [turned], []])
    assert run("depthart", tmp_path / "data", "--set", "iBims", "-o", tmp_path / "out") == 0
    (result,) = table(tmp_path / "out")["results"]
    assert result["values"]["pe_ori"]["value"] == pytest.approx(10, abs=1e-4)
    assert result["values"]["pe_fla"]["value"] == pytest.approx(0, abs=1e-4)
    assert (result["values"]["pe_ori"]["scored"], result["values"]["pe_ori"]["unscored"]) == (3, 1)
    assert result["values"]["abs_rel"]["scored"] == 3


def test_sets_that_are_not_there_are_left_out_and_shown(model, sintel, tmp_path, capsys):
    assert run("depth_pro_zero_shot", sintel, "-o", tmp_path / "out") == 0
    assert [each["set"] for each in table(tmp_path / "out")["missing"]] == [
        title for title in ZERO_SHOT if title != "Sintel"
    ]
    text = (tmp_path / "out" / "table.md").read_text()
    assert "booster is no folder" in text and "disp_00.npy" in text and "depth_bfx" in text
    shown = capsys.readouterr()
    assert "Booster is left out" in shown.err and "disp_00.npy" in shown.err
    assert "Booster: booster: " in shown.out and "disp_00.npy" not in shown.out


def test_no_set_at_all_is_missing_data(model, tmp_path, capsys):
    assert run("depthart", tmp_path, "-o", tmp_path / "out") == 3
    shown = capsys.readouterr().err
    assert "tum_humans is no folder" in shown and "nyu_depth_v2_labeled.mat" in shown
    assert not (tmp_path / "out").exists() and not model.sizes


def test_only_the_sets_that_are_asked_for(model, six, tmp_path):
    assert run("depth_pro_zero_shot", six, "-o", tmp_path / "out", "--set", "Sintel", "--set", "ETH3D") == 0
    assert set(values(tmp_path / "out")) == {("ETH3D", "delta1"), ("Sintel", "delta1")}
    assert table(tmp_path / "out")["missing"] == []
    assert run("depth_pro_zero_shot", tmp_path, "-o", tmp_path / "other", "--set", "Sintel") == 3


def test_a_set_may_be_elsewhere(model, tmp_path, capsys):
    trees.sintel(tmp_path / "films")
    moved = "depth_pro_zero_shot", tmp_path, "-o", tmp_path / "out", "--root"
    assert run(*moved, f"Sintel={tmp_path / 'films'}") == 0
    assert set(values(tmp_path / "out")) == {("Sintel", "delta1")}
    assert run(*moved, f"Sintel={tmp_path / 'nowhere'}", "--force") == 3


def test_options_reach_a_set(model, tmp_path):
    trees.sun_rgbd(tmp_path / "data/sun_rgbd")
    (tmp_path / "data/sun_rgbd/SUNRGBDtoolbox/traintestSUNRGBD/allsplit.mat").unlink()
    arguments = "depth_pro_zero_shot", tmp_path / "data", "-o", tmp_path / "out"
    assert run(*arguments) == 3
    assert run(*arguments, "--option", "Sun-RGBD.split=all") == 0
    extra = json.loads((tmp_path / "out/sun_rgbd/run.json").read_text())["settings"]["extra"]
    assert extra["data set"] == "sun_rgbd, split=all"


def test_another_number_of_images_is_told(model, six, tmp_path):
    assert run("depth_pro_zero_shot", six, "-o", tmp_path / "out", "--set", "Sintel", "--limit", 1) == 0
    assert "1 images, the published values are of 1064: they do not compare" in (tmp_path / "out/table.md").read_text()


def test_an_image_that_cannot_be_read_is_left_out_and_told(model, tmp_path):
    trees.sintel(tmp_path / "data/sintel", [BOX, BOX])
    (tmp_path / "data/sintel/training/depth/alley_1/frame_0002.dpt").write_bytes(b"PIEH")
    assert run("depth_pro_zero_shot", tmp_path / "data", "-o", tmp_path / "out") == 0
    (result,) = table(tmp_path / "out")["results"]
    assert result["images"]["evaluated"] == 1 and result["values"]["delta1"]["value"] == 100
    assert any("skipped" in note and "frame_0002" in note for note in result["notes"])


def test_nothing_evaluated_is_not_a_success(model, sintel, tmp_path):
    (sintel / "sintel/training/depth/alley_1/frame_0001.dpt").unlink()
    assert run("depth_pro_zero_shot", sintel, "-o", tmp_path / "out") == 4
    assert table(tmp_path / "out")["results"][0]["values"] == {}


def test_ctrl_c_keeps_what_was_done_and_resume_goes_on(model, tmp_path, capsys):
    trees.booster(tmp_path / "data/booster")
    trees.sintel(tmp_path / "data/sintel", [BOX, 2 * BOX, BOX, 2 * BOX])
    trees.sun_rgbd(tmp_path / "data/sun_rgbd")
    arguments = "depth_pro_zero_shot", tmp_path / "data", "-o"
    assert run(*arguments, tmp_path / "whole") == 0
    model.stops_at = len(model.sizes) + 3
    assert run(*arguments, tmp_path / "parts") == 130
    stopped = table(tmp_path / "parts")
    assert [each["images"]["evaluated"] for each in stopped["results"]] == [1, 2]
    assert stopped["interrupted"] and stopped["not_evaluated"] == ["Sun-RGBD, knows_the_truth, camera's focal length"]
    assert "Sun-RGBD, knows_the_truth, camera's focal length: not reached" in capsys.readouterr().out
    model.stops_at = -1
    assert run(*arguments, tmp_path / "parts", "--resume") == 0
    assert values(tmp_path / "parts") == values(tmp_path / "whole")
    ids = [
        [json.loads(line)["id"] for line in (tmp_path / f"{d}/sintel/frames.jsonl").open()] for d in ("whole", "parts")
    ]
    assert ids[0] == ids[1] and len(ids[0]) == 4


def test_results_are_kept_unless_told_otherwise(model, sintel, tmp_path, capsys):
    arguments = "depth_pro_zero_shot", sintel, "-o", tmp_path / "out"
    assert run(*arguments) == 0
    assert run(*arguments) == 2
    assert "--force" in capsys.readouterr().err
    model.factor = 1.3
    assert run(*arguments, "--resume") == 0 and values(tmp_path / "out") == {("Sintel", "delta1"): 100}
    assert run(*arguments, "--resume", "--focal", "estimated") == 2
    assert run(*arguments, "--force") == 0 and values(tmp_path / "out") == {("Sintel", "delta1"): 0}


@pytest.mark.parametrize(
    ("criterion", "code"), [("delta1<0.9", 1), ("delta1<0.6", 0), ("opw>1", 1), ("abs_rel>0.6", 0)]
)
def test_criteria_are_held_against_every_set(model, tmp_path, criterion, code):
    """Booster is right; of Sintel's two images one is."""
    trees.booster(tmp_path / "data/booster")
    trees.sintel(tmp_path / "data/sintel", [BOX, BOX, BOX, 2 * BOX])
    assert run("depth_pro_zero_shot", tmp_path / "data", "-o", tmp_path / "out", "--fail-if", criterion) == code


def test_a_criterion_is_for_the_sets_that_have_the_figure(model, tmp_path, capsys):
    trees.am2k(tmp_path / "data/am2k")
    trees.sintel(tmp_path / "data/sintel")
    arguments = "depth_pro_boundaries", tmp_path / "data", "-o", tmp_path / "out"
    assert run(*arguments, "--fail-if", "boundary_recall<0.9") == 0
    assert "AM, knows_the_truth: passed boundary_recall<0.9" in capsys.readouterr().err
    assert run(*arguments, "--fail-if", "flicker>0.9", "--force") == 1
    assert "no set has flicker" in capsys.readouterr().err


def test_json_is_the_file(model, sintel, tmp_path, capsys):
    assert run("depth_pro_zero_shot", sintel, "-o", tmp_path / "out", "--json") == 0
    assert json.loads(capsys.readouterr().out) == table(tmp_path / "out")


def test_a_protocol_of_ones_own(model, sintel, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(
        "title: Own\nsource: here\nmetrics: {abs_rel: ratio}\nalignment: median_scale\nfocal: camera\n"
        "headline_system: A\nsets:\n  - {title: Film, dataset: sintel, published: {A: {abs_rel: 0.1}}}\n"
    )
    model.factor = 3.0
    assert run(own, sintel, "-o", tmp_path / "out") == 0
    assert values(tmp_path / "out") == {("Film", "abs_rel"): pytest.approx(0, abs=1e-6)}
    assert table(tmp_path / "out")["protocol"]["name"] == "own"
    assert run(own, sintel, "-o", tmp_path / "out", "--resume", "--focal", "estimated") == 2


def test_one_data_set_without_a_protocol(model, sintel, tmp_path, capsys):
    model.factor = 1.2
    assert run("sintel", sintel / "sintel", "-o", tmp_path / "out", "--align", "none,median_scale") == 0
    assert "0.200" in capsys.readouterr().out
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["figures"]["abs_rel"]["mean"] == pytest.approx(0.2, rel=1e-4)
    assert summary["figures"]["abs_rel@median_scale"]["mean"] == pytest.approx(0, abs=1e-6)
    assert summary["run"]["settings"]["extra"]["data set"] == "sintel"
    # its folder may also be in ROOT, as for a protocol
    assert run("sintel", sintel, "-o", tmp_path / "out", "--force", "--fail-if", "abs_rel>0.1") == 1
    assert run("sintel", tmp_path / "nowhere", "-o", tmp_path / "other") == 3


def test_options_of_one_data_set(model, tmp_path):
    trees.nyuv2(tmp_path / "nyu")
    (tmp_path / "nyu/splits.mat").unlink()
    assert run("nyuv2", tmp_path / "nyu", "-o", tmp_path / "out") == 3
    assert run("nyuv2", tmp_path / "nyu", "-o", tmp_path / "out", "--option", "split=all", "--metrics", "profiles") == 0
    settings = json.loads((tmp_path / "out/run.json").read_text())["settings"]
    assert settings["extra"]["data set"] == "nyuv2, split=all" and settings["metrics"] == ["profiles"]
    assert settings["alignments"] == ["none", "median_scale", "affine_disparity"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["depth_pro_zero_shot"], "--list"),
        (["table1", "DATA"], "no protocol 'table1'"),
        (["depth_pro_zero_shot", "DATA", "--align", "median_scale"], "--align"),
        (["depth_pro_zero_shot", "DATA", "--max-depth", "80"], "--max-depth"),
        (["depth_pro_zero_shot", "DATA", "--set", "Sintl"], "no set 'Sintl'"),
        (["depth_pro_zero_shot", "DATA", "--option", "render=clean"], "TITLE.render=clean"),
        (["depth_pro_zero_shot", "DATA", "--option", "Sintel.colour=red"], "no option 'colour'"),
        (["depth_pro_zero_shot", "DATA", "--option", "Sintel.render=red"], "render is 'red'"),
        (["depth_pro_zero_shot", "DATA", "--option", "Middlebury.occluded=yes"], "expected true or false"),
        (["depth_pro_zero_shot", "DATA", "--root", "Sintel"], "expected a name, = and a value"),
        (["depth_pro_zero_shot", "DATA", "--fail-if", "sharpness>1"], "no figure 'sharpness'"),
        (["depth_pro_focal", "DATA", "--focal", "camera_info"], "its focal length is estimated"),
        (["depthart", "DATA", "--both-focals"], "leave out --both-focals"),
        (["sintel", "DATA", "--both-focals"], "is a data set"),
        (["sintel", "DATA", "--option", "render=red"], "render is 'red'"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_computed(model, sintel, tmp_path, arguments, problem, capsys):
    arguments = [sintel if argument == "DATA" else argument for argument in arguments]
    assert run(*arguments, "-o", tmp_path / "out") == 2
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "out").exists() and not model.sizes


def test_what_there_is_can_be_listed(capsys):
    assert run("--list") == 0
    shown = capsys.readouterr().out
    for name in ("depth_pro_zero_shot", "depthart", "Sun-RGBD", "DDDP", "tum_rgbd", "lightings=all"):
        assert name in shown


@pytest.mark.parametrize("name", ["booster", "Booster"])
def test_the_expected_folder_can_be_shown(name, capsys):
    assert run("--tree", name) == 0
    assert "disp_00.npy" in capsys.readouterr().out


def test_the_tree_of_nothing_names_what_there_is(capsys):
    assert run("--tree", "Booster2") == 2
    assert "Sun-RGBD" in capsys.readouterr().err
