# SPDX-License-Identifier: Apache-2.0
"""Bags into nodes in processes of their own, which are started and ended by what is tested."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")
psutil = pytest.importorskip("psutil")

from depthpro_ros.evaluation.results.live import LiveSummary  # noqa: E402
from depthpro_ros.node.live_evaluation import LiveFrame, evaluate_live  # noqa: E402
from depthpro_ros.node.node_process import NodeDied  # noqa: E402
from depthpro_ros.node.node_words import NodeCannotStart  # noqa: E402
from test.bag_writer import BagWriter  # noqa: E402

from .harness import FAKE_NODE, ROOT  # noqa: E402

S = 10**9
HEIGHT, WIDTH = 16, 24
FOCAL_PX = 30.0
PERIOD_NS = 50_000_000


def red(number: int) -> int:
    """What tells images apart."""
    return 8 * number % 256


def depth_m(number: int) -> float:
    """What the fake model makes of it with the calibration's focal length."""
    return (1 + red(number) / 64) * FOCAL_PX / WIDTH


def stamp_ns(number: int) -> int:
    return 1_700_000_000 * S + 123_456_789 + number * PERIOD_NS


def write_bag(path: Path, frames: int, storage: str = "mcap") -> Path:
    """Images of one colour each at 20 Hz; compressed ones in a ROS 1 bag."""
    with BagWriter(path, storage) as bag:
        for number in range(frames):
            pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            pixels[..., 0] = red(number)
            bag.info("/cam/camera_info", stamp_ns(number), FOCAL_PX, width=WIDTH, height=HEIGHT)
            if storage == "ros1":
                data = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
                bag.compressed("/cam/image/compressed", stamp_ns(number), data, "png")
            else:
                bag.image("/cam/image", stamp_ns(number), pixels, "rgb8")
    return bag.path


@dataclass
class Result:
    """Everything that an evaluation gave."""

    frames: list[LiveFrame] = field(default_factory=list)
    summaries: list[LiveSummary] = field(default_factory=list)

    def run(self, folder: Path, *arguments: str, frames: int = 5, storage: str = "mcap", **options: Any) -> LiveSummary:
        """Evaluate a new bag with a node that has the fake model with these arguments."""
        return evaluate_live(
            write_bag(folder / "bag", frames, storage),
            log=folder / "node.log",
            on_frame=self.frames.append,
            on_summary=self.summaries.append,
            command=(sys.executable, str(FAKE_NODE), *arguments),
            ready_s=60,
            timeout_s=20,
            **options,
        )


def test_lock_step_gives_the_depth_and_the_latency_of_every_frame(tmp_path: Path) -> None:
    result = Result()
    before = dict(os.environ)
    parameters = {"estimate": "always", "depth_encoding": "16UC1"}
    summary = result.run(
        tmp_path, "--delay", "0.1", frames=6, storage="ros1", mode="lock_step", parameters=parameters
    )  # fmt: skip
    assert [frame.index for frame in result.frames] == list(range(6))
    for number, frame in enumerate(result.frames):
        assert frame.stamp_ns == stamp_ns(number)
        assert frame.depth_m is not None and frame.depth_m.dtype == np.float32
        np.testing.assert_allclose(frame.depth_m, np.full((HEIGHT, WIDTH), depth_m(number)), atol=6e-4)
        assert frame.latency_ms is not None and 100 < frame.latency_ms < 10_000
        assert frame.focal_used_px == pytest.approx(FOCAL_PX) and not frame.wrong_frame_id
        # the fake model believes that the focal is the width
        assert frame.focal_estimated_px == pytest.approx(WIDTH, rel=1e-5)
    assert (summary.mode, summary.sent, summary.answered, summary.dropped) == ("lock_step", 6, 6, 0)
    assert (summary.strange_stamps, summary.strange_frames, summary.unscored) == (0, 0, 0)
    latencies = [frame.latency_ms or 0 for frame in result.frames]
    assert summary.latency_ms.p50 == pytest.approx(np.median(latencies))
    assert summary.latency_ms.largest == max(latencies)
    assert summary.output_hz == pytest.approx(6 / sum(latencies) * 1e3)
    assert summary.diagnostics is not None and summary.diagnostics["frames out"] == "6"
    assert result.summaries == [summary]
    assert dict(os.environ) == before


def test_a_slow_node_drops_frames_in_real_time_and_each_is_counted(tmp_path: Path) -> None:
    result = Result()
    summary = result.run(tmp_path, "--delay", "0.2", frames=40)
    assert [frame.stamp_ns for frame in result.frames] == [stamp_ns(n) for n in range(40)]
    answered = [frame for frame in result.frames if frame.latency_ms is not None]
    assert (summary.sent, summary.answered) == (40, len(answered))
    assert summary.dropped == 40 - len(answered)
    # two seconds of images, a fifth of a second each
    assert 2 <= summary.answered <= 13
    assert summary.diagnostics is not None
    # the node's own account, which does not know of images that the middleware replaced before it took them
    assert int(summary.diagnostics["frames out"]) == summary.answered
    assert int(summary.diagnostics["dropped"]) <= summary.dropped
    for frame in answered:
        assert frame.depth_m is not None
        np.testing.assert_allclose(frame.depth_m, depth_m(frame.index), rtol=1e-6)
    assert all(f.depth_m is None and f.focal_used_px is None for f in result.frames if f.latency_ms is None)
    assert (summary.strange_stamps, summary.strange_frames) == (0, 0)
    assert summary.output_hz <= 5
    # resources of the time since the first image
    assert len(summary.resources) >= 3 and 0 <= summary.resources[0].time_s < 1.5
    assert all(50 < sample.memory_mb < 5000 for sample in summary.resources)
    assert summary.late_ms is not None and summary.late_ms.p50 < 200
    assert LiveSummary.from_json(summary.to_json()) == summary


@pytest.fixture(scope="module")
def misbehaved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, NodeDied]:
    """A node in real time that publishes other stamps and frames and then dies, and what was raised."""
    result = Result()
    arguments = ("--shift-stamps-ns", "5", "--frame-id", "elsewhere", "--die-at", "4", "--delay", "0.3")
    with pytest.raises(NodeDied) as raised:
        result.run(tmp_path_factory.mktemp("misbehaved"), *arguments, frames=200)
    return result, raised.value


def test_other_stamps_and_frames_are_seen(misbehaved: tuple[Result, NodeDied]) -> None:
    result, _ = misbehaved
    (summary,) = result.summaries
    assert (summary.answered, summary.strange_stamps) == (3, 3)
    # depth, camera_info and points of each
    assert summary.strange_frames == 9
    assert all(frame.wrong_frame_id == (frame.latency_ms is not None) for frame in result.frames)


def test_a_node_that_dies_ends_it_with_its_log_and_keeps_what_was_done(misbehaved: tuple[Result, NodeDied]) -> None:
    result, error = misbehaved
    assert "ended with exit code 7; the end of " in str(error)
    assert str(error).endswith("the fake node's last word")
    (summary,) = result.summaries
    answered = [frame for frame in result.frames if frame.latency_ms is not None]
    assert (summary.sent, summary.answered) == (len(result.frames), 3) == (len(result.frames), len(answered))


def test_a_node_that_cannot_be_configured_says_why(tmp_path: Path) -> None:
    result = Result()
    with pytest.raises(NodeCannotStart, match=r"no weights for 'nothing'(.|\n)*the end of .*node\.log:\n.*cv_bridge"):
        result.run(tmp_path, "--missing-until", "/nowhere", parameters={"model": "nothing"})
    assert not result.frames and not result.summaries


INTERRUPTED = """
import sys
from pathlib import Path
from depthpro_ros.node.live_evaluation import evaluate_live
folder = Path(sys.argv[1])
try:
    evaluate_live(
        folder / "bag", mode=sys.argv[2], log=folder / "node.log", command=sys.argv[3:],
        on_frame=lambda frame: print("frame", frame.index, flush=True),
        on_summary=lambda summary: print("summary", summary.sent, flush=True),
    )
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_ends_the_node_and_keeps_what_was_done(tmp_path: Path) -> None:
    write_bag(tmp_path / "bag", 200)
    node = (sys.executable, str(FAKE_NODE), "--delay", "0.1")
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path), "real_time", *node],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(3)]
        assert lines == ["frame 0", "frame 1", "frame 2"]
        children = psutil.Process(process.pid).children()
        assert len(children) == 1
        started = time.monotonic()
        # as a terminal does, to both processes
        os.killpg(process.pid, signal.SIGINT)
        rest = process.communicate(timeout=30)[0].splitlines()
    finally:
        process.kill()
        process.wait()
    assert time.monotonic() - started < 15 and process.returncode == 0
    assert not children[0].is_running()
    frames = [line for line in rest if line.startswith("frame")]
    assert rest[len(frames) :] == [f"summary {3 + len(frames)}", "interrupted"]
    assert "Traceback" not in (tmp_path / "node.log").read_text()
