# SPDX-License-Identifier: Apache-2.0
"""A bag through the running node: its depth of every frame, and what only the live system shows."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage

from depthpro_ros.bag_messages import IMAGE, INFO, camera_model, depth_metres
from depthpro_ros.camera import Intrinsics
from depthpro_ros.evaluation.bags.messages import ros2_store
from depthpro_ros.evaluation.results.live import LiveSummary, Percentiles, ReplayMode
from depthpro_ros.evaluation.run.frames import ALL, Selection
from depthpro_ros.node.bag_images import BagImages
from depthpro_ros.node.node_process import NODE_COMMAND, NodeProcess
from depthpro_ros.node.node_words import NodeCannotStart
from depthpro_ros.node.outputs import DEPTH, DEPTH_INFO, ESTIMATED_INFO
from depthpro_ros.node.private_node import private_context
from depthpro_ros.node.real_time_replay import RealTimeReplay
from depthpro_ros.node.replay import LockStepReplay
from depthpro_ros.node.replay_base import REQUIRED, ReplayError, topic_of
from depthpro_ros.node.replayed_frame import Answer, ReplayedFrame
from depthpro_ros.node.resources import ResourceMonitor

DIAGNOSTICS_PERIOD_S = 0.5
READY_S = 180.0
"""How long the node may take to start and load its model."""


@dataclass(frozen=True)
class LiveFrame:
    """One image that was sent to the node, and what came of it.

    Attributes:
        index: number of the image among those that were sent, from 0.
        stamp_ns: of its header.
        latency_ms: from sending the image to having received all of its outputs; None if it was dropped.
        depth_m: float32 [H, W] metres; NaN where there is none, inf beyond the node's range. None if the image was
            dropped, or the callback was too slow for too long for real time.
        intrinsics: the camera that the depth was made with; None if it was dropped.
        focal_estimated_px: the network's own estimate; None where the node published none.
        wrong_frame_id: an output was in another coordinate frame than the image.
        late_ms: how long after its time the image was sent, in real time.
    """

    index: int
    stamp_ns: int
    latency_ms: float | None
    depth_m: NDArray[np.float32] | None
    intrinsics: Intrinsics | None
    focal_estimated_px: float | None
    wrong_frame_id: bool
    late_ms: float

    @property
    def focal_used_px(self) -> float | None:
        """The focal length that the depth was made with, in pixels of its width."""
        return None if self.intrinsics is None else self.intrinsics.fx


def evaluate_live(
    bag: Path,
    *,
    image_topic: str | None = None,
    camera_info_topic: str | None = None,
    selection: Selection = ALL,
    mode: ReplayMode = "real_time",
    rate: float = 1.0,
    parameters: Mapping[str, str | float | bool] | None = None,
    log: Path,
    on_frame: Callable[[LiveFrame], None],
    on_summary: Callable[[LiveSummary], None] | None = None,
    outputs: Sequence[str] = REQUIRED,
    timeout_s: float = 60.0,
    ready_s: float = READY_S,
    command: Sequence[str] = NODE_COMMAND,
) -> LiveSummary:
    """Start the node in a process and a ROS network of its own, replay a bag into it, and hand over every frame.

    Args:
        bag: as `Recording` takes it.
        image_topic: in the bag; the first with images where it is None.
        camera_info_topic: in the bag; the sibling of the image topic where it is None.
        selection: which images, by stamp.
        mode: `real_time` sends at the recorded times, `lock_step` each image when the last one is answered.
        rate: of real time, 1 is as recorded.
        parameters: of the node, such as model, device, precision, focal_policy.
        log: file for the node's output.
        on_frame: called in this thread with every frame, answered or dropped, in the order of sending. In lock-step the
            next image waits for it; in real time it runs beside the replay.
        on_summary: called once at the end, also when the replay was interrupted or the node died, if anything was sent.
        outputs: of the node, that are subscribed and make a frame answered; with the depth image and its camera.
        timeout_s: how long to wait for an answer: in lock-step for each, in real time after the last image.
        ready_s: how long the node may take to start.
        command: what starts the node.

    Raises:
        InputError: the bag has no such images, or psutil or rosbags is not installed.
        NodeDied, NodeCannotStart, ReplayError: with the end of the node's log.
        KeyboardInterrupt: the node was ended before.
    """
    tally = _Tally(mode, rate, on_frame)
    required = tuple(dict.fromkeys((DEPTH, DEPTH_INFO, *outputs)))
    with ExitStack() as stack:
        images = stack.enter_context(
            BagImages(bag, image_topic, camera_info_topic=camera_info_topic, selection=selection)
        )
        topic = topic_of(images)
        given = {
            "diagnostics_period_s": DIAGNOSTICS_PERIOD_S,
            "image_transport": "compressed" if images.message_type is CompressedImage else "raw",
            **(parameters or {}),
        }
        context = stack.enter_context(private_context())
        node = stack.enter_context(NodeProcess(log, topic.removesuffix("/compressed"), given, command))
        monitor = stack.enter_context(ResourceMonitor(node.pid))
        options: dict[str, Any] = {
            "image_topic": topic,
            "required": required,
            "kept": (DEPTH, DEPTH_INFO, ESTIMATED_INFO),
            "timeout_s": timeout_s,
            "ready_s": ready_s,
            "node_name": "depthpro_evaluation",
            "watch": node.check,
            "context": context,
        }
        replay: LockStepReplay | RealTimeReplay
        if mode == "lock_step":
            replay = LockStepReplay(skip_refused=True, **options)
        else:
            replay = RealTimeReplay(rate=rate, **options)
        try:
            replay.run(images, tally.take)
            replay.hear_last_words()
        except (ReplayError, NodeCannotStart) as error:
            node.check()
            raise type(error)(f"{error}\nthe end of {log}:\n{node.log_tail()}") from error
        finally:
            replay.close()
            summary = tally.summary(replay, monitor)
            if on_summary is not None and summary.sent:
                on_summary(summary)
    return summary


class _Tally:
    """Hands frames over, and counts."""

    def __init__(self, mode: ReplayMode, rate: float, on_frame: Callable[[LiveFrame], None]) -> None:
        self._mode, self._rate, self._on_frame = mode, rate, on_frame
        self._latencies_ms, self._late_ms = array("d"), array("d")
        self._first_sent_ns = self._first_answer_ns = self._last_answer_ns = 0
        self._unscored = 0

    def take(self, frame: ReplayedFrame) -> None:
        """One frame of the replay."""
        index = len(self._late_ms)
        if not index:
            self._first_sent_ns = frame.sent_ns
        self._late_ms.append(frame.late_s * 1e3)
        live = _live_frame(index, frame)
        if live.latency_ms is not None:
            self._latencies_ms.append(live.latency_ms)
            self._last_answer_ns = frame.sent_ns + round(live.latency_ms * 1e6)
            self._first_answer_ns = self._first_answer_ns or self._last_answer_ns
            self._unscored += live.depth_m is None
        self._on_frame(live)

    def summary(self, replay: LockStepReplay | RealTimeReplay, monitor: ResourceMonitor) -> LiveSummary:
        """What it came to so far."""
        sent, answered = len(self._late_ms), len(self._latencies_ms)
        return LiveSummary(
            mode=self._mode,
            rate=self._rate,
            sent=sent,
            answered=answered,
            dropped=sent - answered,
            latency_ms=Percentiles.of(self._latencies_ms),
            output_hz=self._output_hz(),
            strange_stamps=replay.strange_stamps,
            strange_frames=replay.strange_frames,
            resources=monitor.samples(self._first_sent_ns / 1e9) if sent else (),
            diagnostics=dict(replay.words.values) or None,
            late_ms=Percentiles.of(self._late_ms) if self._mode == "real_time" else None,
            unscored=self._unscored,
        )

    def _output_hz(self) -> float:
        """In lock-step of the time in which the node had something to do."""
        answered = len(self._latencies_ms)
        if self._mode == "lock_step":
            busy_s = sum(self._latencies_ms) / 1e3
            return answered / busy_s if busy_s > 0 else math.nan
        span_s = (self._last_answer_ns - self._first_answer_ns) / 1e9
        return (answered - 1) / span_s if span_s > 0 else math.nan


def _live_frame(index: int, frame: ReplayedFrame) -> LiveFrame:
    answers, depth_m, intrinsics, estimated_px = frame.answers, None, None, None
    if frame.answered and answers[DEPTH].data:
        depth_m = depth_metres(_read(answers[DEPTH], IMAGE))
    if frame.answered and answers[DEPTH_INFO].data:
        intrinsics = _intrinsics(answers[DEPTH_INFO])
    if ESTIMATED_INFO in answers and answers[ESTIMATED_INFO].data:
        estimated_px = _intrinsics(answers[ESTIMATED_INFO]).fx
    return LiveFrame(
        index=index,
        stamp_ns=frame.stamp_ns,
        latency_ms=frame.latency_s * 1e3 if frame.answered else None,
        depth_m=depth_m,
        intrinsics=intrinsics,
        focal_estimated_px=estimated_px,
        wrong_frame_id=any(answer.frame_id != frame.frame_id for answer in answers.values()),
        late_ms=frame.late_s * 1e3,
    )


def _read(answer: Answer, type_: str) -> Any:
    return ros2_store().deserialize_cdr(answer.data, type_)


def _intrinsics(answer: Answer) -> Intrinsics:
    """The node's K describes its depth, whatever the lens."""
    camera = camera_model(_read(answer, INFO), True)
    return camera.intrinsics(*camera.image_size(), rectified=False)
