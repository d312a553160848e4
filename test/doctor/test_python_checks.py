# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from depthpro_ros.doctor.finding import Level
from depthpro_ros.doctor.outside import Answer
from depthpro_ros.doctor.python_checks import check_all, check_cv_bridge, check_library, check_python

NUMPY_1_MODULE = "AttributeError: _ARRAY_API not found"


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ((3, 9, 7), Level.PROBLEM),
        ((3, 10, 0), Level.OK),
        ((3, 12, 3), Level.OK),
        ((3, 13, 1), Level.OK),
        ((3, 14, 0), Level.WARNING),
    ],
)
def test_supported_pythons(version: tuple[int, int, int], level: Level) -> None:
    finding = check_python(version, "/usr", in_environment=False)
    assert finding.level is level and finding.found == f"{'.'.join(map(str, version))} in /usr"


@pytest.mark.parametrize(
    ("module", "answer", "level", "advice"),
    [
        ("numpy", Answer("2.1.0"), Level.OK, ""),
        ("PIL", Answer(failure="x", missing=True), Level.PROBLEM, "pip install pillow"),
        ("cv2", Answer(failure="ImportError: libGL.so.1: cannot open"), Level.PROBLEM, "opencv-python-headless"),
        ("cv2", Answer(failure=NUMPY_1_MODULE), Level.PROBLEM, "another NumPy"),
        ("safetensors", Answer(failure="SyntaxError"), Level.PROBLEM, "--force-reinstall safetensors"),
    ],
)
def test_libraries(module: str, answer: Answer, level: Level, advice: str) -> None:
    finding = check_library(module, answer)
    assert finding.level is level and advice in finding.advice


@pytest.mark.parametrize(
    ("answer", "numpy", "level", "advice"),
    [
        (Answer(2), "1.26.4", Level.OK, ""),
        (Answer(failure="x", missing=True), "2.1.0", Level.OK, ""),
        (Answer(failure=NUMPY_1_MODULE), "2.1.0", Level.WARNING, "numpy<2"),
        (Answer(failure="the import ended the process (SIGSEGV)"), "2.1.0", Level.PROBLEM, "numpy<2"),
        (Answer(failure="ImportError: libboost"), "1.26.4", Level.WARNING, "without cv_bridge"),
    ],
)
def test_cv_bridge_only_matters_where_it_ends_the_process(
    answer: Answer, numpy: str, level: Level, advice: str
) -> None:
    finding = check_cv_bridge(answer, numpy)
    assert finding.level is level and advice in finding.advice


def test_the_libraries_of_these_tests_are_well() -> None:
    findings = {f.check: f.level for f in check_all()}
    assert set(findings) == {"Python", "numpy", "cv2", "PIL", "safetensors", "cv_bridge"}
    assert all(findings[name] is Level.OK for name in ("Python", "numpy", "cv2", "PIL", "safetensors"))
