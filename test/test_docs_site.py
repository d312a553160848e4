# SPDX-License-Identifier: Apache-2.0
"""The documentation's site, built as `make docs` does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason='no MkDocs: pip install "depthpro_ros[docs]"')

ROOT = Path(__file__).resolve().parents[1]
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""Elements that a browser loads by itself, and where from."""


class Loads(HTMLParser):
    """Addresses that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in LOADED and values.get("rel") not in ("prev", "next", "canonical"):
            self.addresses.append(values.get(LOADED[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_page_is_there_and_no_source_of_a_generated_one(site: Path) -> None:
    pages = {p.relative_to(ROOT / "docs") for p in (ROOT / "docs").rglob("*.md")}
    for page in pages:
        assert (site / page.with_suffix(".html")).is_file() is not page.name.endswith("_notes.md"), page
    assert (site / "CONTRIBUTING.html").is_file() and (site / "CHANGELOG.html").is_file()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert loads.addresses and not [a for a in loads.addresses if re.match(r"(https?:)?//", a)], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_files_of_the_repository_are_where_links_lead(site: Path) -> None:
    html = (site / "training.html").read_text(encoding="utf-8")
    target = re.search(r'href="([^"]*finetune\.yaml)"', html)
    assert target is not None
    copy = (site / target[1]).read_bytes()
    assert copy == (ROOT / "config" / "training" / "finetune.yaml").read_bytes()
