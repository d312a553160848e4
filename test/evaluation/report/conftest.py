# SPDX-License-Identifier: Apache-2.0
"""A browser for the pages of reports."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from test.evaluation.report.browser import Browser

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium with software WebGL."""
    pytest.importorskip("selenium", reason="needs selenium: pip install depthpro_ros[test]")
    program = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs chromium and chromedriver: apt install chromium chromium-driver")
    with Browser(program, driver) as opened:
        yield opened
