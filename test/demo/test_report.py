# SPDX-License-Identifier: Apache-2.0
"""The report on answers that were made up, so that every number in it is known."""

import json
import math

import cv2
import numpy as np
import pytest

from depthpro_ros.camera import Intrinsics
from depthpro_ros.demo.bag import Answer
from depthpro_ros.demo.photographs import DemoFrame
from depthpro_ros.demo.report import as_json, draw, markdown, score, summarise

TRUTH = np.linspace(2, 4, 40 * 60, dtype=np.float32).reshape(40, 60)
RGB = np.zeros((40, 60, 3), np.uint8)
CALIBRATED = DemoFrame("scene", RGB, Intrinsics.from_focal(60, 40, 50.0), TRUTH)
UNKNOWN = DemoFrame("other", RGB, None, None)


def answer(depth, *, latency_ms=10.0, estimated=60.0) -> Answer:
    if depth is None:
        return Answer(1, RGB, None, None, None, None, None)
    cloud = np.dstack([np.zeros_like(depth), np.zeros_like(depth), depth, np.zeros_like(depth)])
    return Answer(1, RGB, latency_ms, depth, cloud, 50.0, estimated)


FRAMES = [CALIBRATED, CALIBRATED, CALIBRATED, UNKNOWN]
ANSWERS = [
    answer(TRUTH * np.float32(1.2), estimated=60.0),  # 20 % too far
    answer(TRUTH * np.float32(1.4), latency_ms=30.0, estimated=40.0),  # 40 % too far
    answer(None),
    answer(TRUTH, latency_ms=20.0),
]


@pytest.fixture
def results():
    return score(FRAMES, ANSWERS)


def test_summary_is_what_the_definitions_say(results):
    s = summarise(results, "some_model", "a warning")
    assert (s.frames_in, s.frames_out) == (4, 3)
    assert s.latency_p50_ms == 20.0 and s.latency_p95_ms == pytest.approx(29.0)
    assert s.abs_rel == pytest.approx(0.3, abs=1e-6) and s.delta1 == pytest.approx(0.5)
    assert s.abs_rel_aligned == pytest.approx(0, abs=1e-6) and s.delta1_aligned == 1.0
    assert s.focal_ratio_median == pytest.approx(1.0) and s.focal_error_mean == pytest.approx(0.2)


def test_nothing_answered_is_no_zero():
    s = summarise(score([CALIBRATED], [answer(None)]), "m", "")
    assert s.frames_out == 0 and math.isnan(s.abs_rel) and math.isnan(s.latency_p50_ms)
    assert json.loads(as_json(s, score([CALIBRATED], [answer(None)])))["summary"]["abs_rel"] is None


def test_markdown_says_the_notice_and_has_a_line_per_frame(results):
    text = markdown(summarise(results, "some_model", "only rendered scenes"), results)
    assert "**Note:** only rendered scenes." in text and "some_model" in text
    assert "| frames in / out" in text and "4 / 3" in text
    lines = [line for line in text.splitlines() if "| scene" in line or "| other" in line]
    assert len(lines) == 4 and lines[0].count("|") == lines[2].count("|") == 11


def test_json_is_strict_and_complete(results):
    content = json.loads(as_json(summarise(results, "m", ""), results))
    assert [f["name"] for f in content["frames"]] == ["scene"] * 3 + ["other"]
    assert content["frames"][3]["true_focal_px"] is None and content["frames"][3]["metric"] is None


def test_a_picture_for_every_frame_and_an_overview(tmp_path):
    paths = draw(tmp_path, FRAMES, ANSWERS)
    relative = [str(p.relative_to(tmp_path)) for p in paths]
    assert relative == [*(f"frames/frame_00{i}.png" for i in range(4)), "overview.png"]
    widths = [cv2.imread(str(p)).shape[1] for p in paths[:4]]
    # image, ground truth, depth with legend, cloud; the last frame has no ground truth
    assert widths[0] == 4 * 60 + 76 + 3 * 4 and widths[3] == 3 * 60 + 76 + 2 * 4
