# SPDX-License-Identifier: Apache-2.0
"""The page as a file: whole, self-contained, and harmless whatever the names in it are."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from depthpro_ros.evaluation.report.columns import Columns
from depthpro_ros.evaluation.report.page import WEB
from depthpro_ros.evaluation.report.page_data import embedded, page_data, turbo
from depthpro_ros.evaluation.report.pictures import choose
from depthpro_ros.evaluation.report.write import write_report
from test.evaluation.report.synthetic import Synthetic, error_of

HOSTILE = "</script><img onerror=alert(1) src=x> <!--data--> {{x}} <!--"


class Outline(HTMLParser):
    """Elements of a page, and what its scripts of JSON hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.data = ""
        self.ids: list[str] = []
        self._in_data = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        self.links += [value for key in ("src", "href") if (value := named.get(key))]
        self.ids += [value for key in ("id",) if (value := named.get(key))]
        self._in_data = named.get("id") == "data"

    def handle_endtag(self, tag: str) -> None:
        self._in_data = False

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data += data


def outline(synthetic: Synthetic, path: Path) -> Outline:
    write_report(synthetic.write(path))
    return Outline((path / "report.html").read_text(encoding="utf-8"))


def test_hostile_names_add_no_element(tmp_path: Path) -> None:
    usual = outline(Synthetic(), tmp_path / "a")
    hostile = outline(
        Synthetic(
            ids={k: f"{HOSTILE}{k}" for k in range(12)},
            skipped={3: HOSTILE},
            settings={"mask": HOSTILE, "extra": {HOSTILE: HOSTILE}},
            run={"source": HOSTILE, "command": HOSTILE, "notes": (HOSTILE,), "topics": {"image": HOSTILE}},
        ),
        tmp_path / "b",
    )
    extra = ["div", "dt", "dd"]  # of the setting with the hostile name
    assert sorted(hostile.tags) == sorted(usual.tags + extra)
    assert json.loads(hostile.data)["series"]["id"][5] == f"{HOSTILE}5"


def test_the_page_refers_to_nothing(tmp_path: Path) -> None:
    page = outline(Synthetic(), tmp_path)
    assert page.links == [] and "link" not in page.tags
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text


def test_every_kept_picture_is_there_once(tmp_path: Path) -> None:
    page = outline(Synthetic(pictures=lambda k: k % 2 == 0), tmp_path)
    assert [name for name in page.ids if name.startswith("picture-")] == [f"picture-{k}" for k in range(0, 12, 2)]


def test_no_place_of_the_template_is_left_open(tmp_path: Path) -> None:
    outline(Synthetic(), tmp_path)
    assert not re.search(r"<!--\w+-->", (tmp_path / "report.html").read_text(encoding="utf-8"))


def test_a_failed_page_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Synthetic().write(tmp_path)
    write_report(folder)
    before = (tmp_path / "report.html").read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(folder, "thumbnail", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(folder)
    assert (tmp_path / "report.html").read_bytes() == before


def test_embedded_json_comes_back_without_markup() -> None:
    text = embedded({"name": HOSTILE + "&amp;"})
    assert not set("<>&") & set(text) and json.loads(text) == {"name": HOSTILE + "&amp;"}


def test_data_has_the_known_errors(tmp_path: Path) -> None:
    folder = Synthetic().write(tmp_path)
    columns = Columns.of(folder.records())
    data = page_data(folder.summary(), columns, choose(columns, folder.pictured(), "none"))
    expected = [None if k == 3 else pytest.approx(error_of(k), abs=1e-5) for k in range(12)]
    assert data["series"]["figures"]["abs_rel"] == expected
    assert data["series"]["time_s"] == pytest.approx([0.1 * k for k in range(12)])
    assert [data["series"]["reasons"][r] for r in data["series"]["skipped"] if r is not None] == [
        "no ground truth within 20 ms"
    ]
    assert sum(data["profiles"]["histogram"]["pixels"]) == 11 * 48 * 64 / 4
    (none, median, _) = data["curves"]
    assert none["y"][-1] == 1 and none["x"] == sorted(none["x"])
    assert max(median["x"]) < 1e-6


def test_long_series_are_thinned_but_keep_pictured_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from depthpro_ros.evaluation.report import page_data as module

    monkeypatch.setattr(module, "MOST_POINTS", 4)
    folder = Synthetic(pictures=lambda k: k == 7).write(tmp_path)
    columns = Columns.of(folder.records())
    data = page_data(folder.summary(), columns, choose(columns, folder.pictured(), "none"))
    assert data["series"]["index"] == [0, 3, 6, 7, 9]
    assert data["series"]["index"][data["pictured"][0]] == 7


def test_turbo_runs_from_dark_blue_to_dark_red() -> None:
    """Mikhailov 2019: (48, 18, 59) to (122, 4, 2)."""
    colours = turbo()
    assert tuple(colours[:3]) == (48, 18, 59) and tuple(colours[-3:]) == pytest.approx((122, 4, 2), abs=1)


def test_the_library_can_stand_in_a_script_element_and_has_its_licence() -> None:
    text = (WEB / "plotly-gl3d.min.js").read_text(encoding="utf-8").lower()
    assert "</script" not in text and "<!--" not in text
    assert len(text) < 2_000_000
    assert "MIT License" in (WEB / "plotly-gl3d.LICENSE").read_text(encoding="utf-8")


def test_the_library_is_the_one_of_the_note() -> None:
    import hashlib

    found = hashlib.sha256((WEB / "plotly-gl3d.min.js").read_bytes()).hexdigest()
    assert found in (WEB / "NOTE").read_text(encoding="utf-8")
