# SPDX-License-Identifier: Apache-2.0
"""`depthpro image` with a model whose depth is up to scale: nothing is in metres unless the user says the scale."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import depthpro_ros.models
from depthpro_ros import visualise
from depthpro_ros.cli.main import main
from test.cli.test_image import read_ply, write_photo
from test.evaluation.run.relative_world import ReadsRelative
from test.evaluation.run.world import ReadsDepth

WIDTH, HEIGHT = 96, 64


@pytest.fixture
def model(monkeypatch) -> ReadsRelative:
    estimator = ReadsRelative()
    monkeypatch.setattr(depthpro_ros.models, "load_estimator", lambda *_, **options: _with(estimator, options))
    return estimator


def _with(estimator: ReadsRelative, options: dict[str, object]) -> ReadsRelative:
    estimator.options = options
    return estimator


@pytest.fixture
def photo(tmp_path) -> Path:
    write_photo(tmp_path / "yard.png", exif=False)
    return tmp_path / "yard.png"


def run(photo: Path, *arguments: object) -> int:
    return main(["image", str(photo), "-o", str(photo.parent / "out"), *map(str, arguments)])


def written(photo: Path) -> list[str]:
    return sorted(path.name for path in (photo.parent / "out").iterdir())


def test_nothing_is_written_in_metres(model, photo, capsys):
    assert run(photo) == 0
    assert written(photo) == ["yard_colour.png", "yard_relative.npy"]
    relative = np.load(photo.parent / "out" / "yard_relative.npy")
    assert relative.dtype == np.float32 and relative.shape == (HEIGHT, WIDTH)
    rgb = cv2.imread(str(photo))[..., ::-1]
    np.testing.assert_array_equal(relative, model.relative(rgb).numpy())
    shown = capsys.readouterr().out
    assert "depth is up to scale" in shown and "relative depth, up to scale" in shown and " m," not in shown


def test_the_legend_says_relative_and_has_no_metres(model, photo, monkeypatch):
    said: list[str] = []
    write = visualise._write
    monkeypatch.setattr(
        visualise, "_write", lambda picture, text, x, y: (said.append(text), write(picture, text, x, y))
    )
    assert run(photo) == 0
    assert "relative" in said and not any("m" in text for text in said)
    numbers = [float(text) for text in said if text != "relative"]
    assert numbers and all(0 < number <= 1 for number in numbers)


def test_a_scale_that_the_user_gives_makes_files_that_say_assumed(model, photo, capsys):
    assert run(photo, "--scale", 12, "--focal-px", 80) == 0
    assert written(photo) == [
        "yard_assumed.ply", "yard_assumed_depth.npy", "yard_assumed_depth.png", "yard_colour.png", "yard_relative.npy",
    ]  # fmt: skip
    out = photo.parent / "out"
    relative, depth = np.load(out / "yard_relative.npy"), np.load(out / "yard_assumed_depth.npy")
    there = np.isfinite(depth)
    np.testing.assert_allclose(depth[there], 12 * relative[there], rtol=1e-5)
    # what is at the 98th percentile may be anywhere behind it
    assert np.isnan(depth[relative == 1]).all() and there.mean() > 0.9
    millimetres = cv2.imread(str(out / "yard_assumed_depth.png"), cv2.IMREAD_UNCHANGED)
    assert np.abs(millimetres[there] / 1000 - depth[there]).max() <= 0.00051 and not millimetres[~there].any()
    assert b"comment scale assumed, not measured" in (out / "yard_assumed.ply").read_bytes()[:300]
    points, _ = read_ply(out / "yard_assumed.ply")
    u = points[:, 0] / points[:, 2] * 80 + (WIDTH - 1) / 2
    assert np.abs(u - np.rint(u)).max() < 1e-2
    assert "assumed, not measured: 98 % of the photo nearer than 12 m" in capsys.readouterr().out


def test_without_a_focal_length_there_are_no_points(model, photo, capsys):
    assert run(photo, "--scale", 12) == 0
    assert "yard_assumed.ply" not in written(photo) and "yard_assumed_depth.npy" in written(photo)
    assert "no points, since no focal length is known: give --focal-px" in capsys.readouterr().out


def test_the_refinement_picture_has_the_photo_and_every_scale_beside_each_other(model, photo, monkeypatch):
    said: list[str] = []
    write = visualise._write
    monkeypatch.setattr(
        visualise, "_write", lambda picture, text, x, y: (said.append(text), write(picture, text, x, y))
    )
    assert run(photo, "--refinement") == 0
    assert [text for text in said if text == "photo" or "x" in text] == ["photo", "1x1", "2x2", "4x4"]
    picture = cv2.imread(str(photo.parent / "out" / "yard_refinement.png"))[..., ::-1]
    tile = round(256 * HEIGHT / WIDTH)
    assert picture.shape == (tile + 22, 4 * 256 + 3 * 4, 3)
    # the first scale knows one number, and has one colour
    first = picture[22:, 260 : 260 + 256]
    assert (first == first[0, 0]).all()
    shown = cv2.resize(cv2.imread(str(photo))[..., ::-1], (256, tile))
    assert np.abs(picture[22:, :256].astype(int) - shown).mean() < 1


def test_a_model_that_names_no_grids_has_its_scales_numbered():
    from depthpro_ros.still_relative import refinement_picture

    rgb, depths = np.zeros((8, 300, 3), np.uint8), np.ones((2, 8, 300), np.float32)
    assert refinement_picture(rgb, depths).shape == (7 + 22, 3 * 256 + 2 * 4, 3)


@pytest.mark.parametrize(
    ("arguments", "text"), [(("--refinement",), "makes depth at once"), (("--scale", "3"), "in metres already")]
)
def test_what_a_metric_model_cannot_do_is_an_error(photo, monkeypatch, capsys, arguments, text):
    monkeypatch.setattr(depthpro_ros.models, "load_estimator", lambda *_, **__: ReadsDepth())
    assert run(photo, *arguments) == 2
    assert text in capsys.readouterr().err and not (photo.parent / "out").exists()


def test_results_are_kept_unless_told_otherwise(model, photo, capsys):
    assert run(photo) == 0
    assert run(photo) == 2
    assert "yard_relative.npy exists" in capsys.readouterr().err
    assert run(photo, "--force") == 0


@pytest.mark.parametrize(
    ("given", "expected"), [((), {}), (("--decoding", "sampled", "--seed", 0), {"decoding": "sampled", "seed": 0})]
)
def test_a_decoding_is_handed_on_only_where_it_was_given(model, photo, given, expected):
    assert run(photo, *given) == 0
    assert {name: model.options[name] for name in ("decoding", "samples", "seed") if name in model.options} == expected
