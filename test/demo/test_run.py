# SPDX-License-Identifier: Apache-2.0
"""The demo through real processes and topics, with a few of its frames."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("skimage")
pytest.importorskip("rosbags")

from depthpro_ros.demo import bag, photographs, run
from depthpro_ros.errors import InputError

# the first view, the last view, and a photograph of an unknown camera
CHOSEN = (0, photographs.VIEWS - 1, photographs.VIEWS)
SHORT_DEMO = f"""
import sys
from pathlib import Path
from depthpro_ros.demo import run
everything = run.demo_frames
run.demo_frames = lambda: [everything()[i] for i in {CHOSEN}]
sys.exit(run.run_demo(Path(sys.argv[1]), model=sys.argv[2], device="cpu", precision=sys.argv[3]))
"""


def demo(folder: Path, model: str = "depth_pro_nano", precision: str = "float32") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SHORT_DEMO, str(folder), model, precision], capture_output=True, text=True, timeout=200
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "out"
    done = demo(folder)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "frame 3 of 3" in done.stderr
    assert "rendered scenes" in done.stdout and "Look at:" in done.stdout
    return folder


def test_every_frame_is_answered_with_its_own_stamp(finished):
    answers = list(bag.read_answers(finished / "bag"))
    assert [a.stamp_ns for a in answers] == [bag.stamp_of(i) for i in range(3)]
    frames = photographs.demo_frames()
    for answer, index in zip(answers, CHOSEN, strict=True):
        frame = frames[index]
        assert np.array_equal(answer.image, frame.rgb)
        assert answer.depth_m.shape == frame.rgb.shape[:2] and answer.cloud.shape[:2] == answer.depth_m.shape
        assert 0 < answer.latency_ms < 60_000 and answer.estimated > 0
        # the calibration where there is one, else the estimate
        assert answer.used == pytest.approx(frame.camera.fx if frame.camera else answer.estimated)


def test_recorded_bag_has_all_topics(finished):
    count: dict[str, int] = {}
    for topic, _, _, _ in bag.read_messages(finished / "bag"):
        count[topic] = count.get(topic, 0) + 1
    topics = ("/camera/image_raw", "/camera/camera_info", "/depth/image", "/depth/camera_info", "/depth/points")
    assert count == dict.fromkeys((*topics, "/estimated/camera_info"), 3)


def test_pictures_and_reports_are_there(finished):
    assert {p.name for p in finished.iterdir()} == {
        "input", "bag", "frames", "overview.png", "report.md", "report.json", "node.log"
    }  # fmt: skip
    assert len(list((finished / "frames").glob("*.png"))) == 3
    summary = json.loads((finished / "report.json").read_text())["summary"]
    assert summary["frames_in"] == summary["frames_out"] == 3
    assert summary["model"] == "depth_pro_nano" and summary["abs_rel"] > 0 and summary["focal_error_mean"] > 0


def test_results_are_not_written_over_unasked(finished):
    with pytest.raises(InputError, match="--force"):
        run.prepare_folder(finished, force=False)
    assert (finished / "report.md").exists()


def test_missing_weights_end_the_demo_with_the_reason(tmp_path):
    done = demo(tmp_path / "out", model="/no/such/weights.pt")
    assert done.returncode == 1
    assert "the node cannot start" in done.stderr and "/no/such/weights.pt" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_node_that_ends_ends_the_demo_with_its_log(tmp_path):
    # the node refuses the parameter at start and exits
    done = demo(tmp_path / "out", precision="float7")
    assert done.returncode == 1
    assert "ended with exit code" in done.stderr and "float7" in done.stderr
    assert "Traceback" not in done.stderr
