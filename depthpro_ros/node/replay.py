# SPDX-License-Identifier: Apache-2.0
"""Lock-step replay: a bag's images through real topics into a depth node, one after another.

`ros2 bag play` sends in real time, and a node that is slower than the camera drops frames, as it should. For
evaluation each frame has to be answered: the next one is sent when the last one's outputs have come.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException

from depthpro_ros.errors import DepthProError
from depthpro_ros.evaluation.run.frames import Selection
from depthpro_ros.node.bag_images import BagImage, BagImages
from depthpro_ros.node.outputs import DEPTH_INFO
from depthpro_ros.node.replay_base import ReplayBase, ReplayError
from depthpro_ros.node.replayed_frame import Answer, ReplayedFrame, ReplayStats


class LockStepReplay(ReplayBase):
    """Replays bags into a depth node that runs in another process. rclpy must be initialised.

    Args:
        attempts: how often a frame is sent before the replay fails.
        skip_refused: go on after an image that the node says it refused: it counts as dropped.
        others: of `ReplayBase`.
    """

    def __init__(self, *, attempts: int = 3, skip_refused: bool = False, **others: Any) -> None:
        super().__init__(**others)
        self._attempts, self._skip_refused = attempts, skip_refused
        self._current: BagImage | None = None
        self._answers: dict[str, Answer] = {}

    def run(self, images: BagImages, on_frame: Callable[[ReplayedFrame], None]) -> ReplayStats:
        """Replay a bag.

        Args:
            images: of the bag.
            on_frame: called with each frame as it is answered, in the bag's order.

        Raises:
            ReplayError: no node listens, or a frame stays unanswered; says what the node said.
        """
        sent, latencies = 0, []
        with self._publishing(images) as publishers:
            started = time.monotonic()
            for item in images:
                frame = self._exchange(item, *publishers)
                sent += 1
                if frame.answered:
                    latencies.append(frame.latency_s)
                on_frame(frame)
            duration_s = time.monotonic() - started
        return ReplayStats(sent, len(latencies), tuple(latencies), duration_s)

    def _on_answer(self, answer: Answer) -> None:
        current = self._current
        if current is not None and answer.stamp_ns == current.image.stamp_ns and answer.name not in self._answers:
            self._answers[answer.name] = answer
            self._compare_frames(answer, current.image.frame_id)

    def _exchange(self, item: BagImage, images: Any, infos: Any) -> ReplayedFrame:
        """Send one frame and wait for its answers."""
        self._current, self._answers = item, {}
        # a node that has not spoken yet may have refused others' images
        refused = self.words.count("refused") if self.words.values else math.inf
        for attempt in range(1, self._attempts + 1):
            sent_ns = time.time_ns()
            if item.camera_info is not None:
                infos.publish(item.camera_info.data)
            images.publish(item.image.data)
            settled = self._spin_until(
                lambda: self._has(self._required) or self.words.count("refused") > refused, self._timeout_s
            )
            if self._has(self._required):
                self._spin_until(lambda: self._has(self._optional), self._patience_s())
                self._note_optional(self._answers)
                return self._frame(item, sent_ns, self._answers, attempt)
            if settled and self._skip_refused:
                return self._frame(item, sent_ns, {}, attempt)
            if settled:
                raise ReplayError(f"the image of stamp {item.image.stamp_ns} ns was refused; {self.words.complaint}")
        missing = [n for n in self._required if n not in self._answers]
        raise ReplayError(
            f"no {', '.join(missing)} for the image of stamp {item.image.stamp_ns} ns, sent {self._attempts} times "
            f"with {self._timeout_s:g} s each; {self.words.complaint}"
        )

    def _has(self, names: tuple[str, ...]) -> bool:
        return all(name in self._answers for name in names)

    def _frame(self, item: BagImage, sent_ns: int, answers: dict[str, Answer], attempts: int) -> ReplayedFrame:
        return ReplayedFrame(
            stamp_ns=item.image.stamp_ns,
            frame_id=item.image.frame_id,
            sent_ns=sent_ns,
            answers=answers,
            latency_s=self._latency_s(sent_ns, answers) if answers else math.nan,
            image=item.image,
            camera_info=item.camera_info,
            attempts=attempts,
        )


def main() -> None:
    """Replay a bag and print a line for each frame."""
    parser = argparse.ArgumentParser(prog="python -m depthpro_ros.node.replay", description=__doc__)
    parser.add_argument("bag", type=Path, help="rosbag2 folder or ROS 1 .bag file")
    parser.add_argument("--bag-topic", help="image topic in the bag; the first by default")
    parser.add_argument("--image-topic", help="image topic of the node; as in the bag by default")
    parser.add_argument("--namespace", default="", help="namespace of the node")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for one attempt at one frame")
    parser.add_argument("--max-frames", type=int)
    options, ros = parser.parse_known_args()

    def show(frame: ReplayedFrame) -> None:
        info = frame.outputs[DEPTH_INFO]
        print(f"{frame.stamp_ns} ns  {frame.latency_s * 1e3:7.1f} ms  fx {info.k[0]:.2f} px", flush=True)

    rclpy.init(args=[sys.argv[0], *ros])
    replay = LockStepReplay(image_topic=options.image_topic, timeout_s=options.timeout, namespace=options.namespace)
    try:
        with BagImages(options.bag, options.bag_topic, selection=Selection(limit=options.max_frames)) as images:
            stats = replay.run(images, show)
        print(f"{stats.frames_out} of {stats.frames_in} frames in {stats.duration_s:.1f} s")
    except DepthProError as error:
        sys.exit(f"error: {error}")
    except (KeyboardInterrupt, ExternalShutdownException):
        sys.exit(130)
    finally:
        replay.close()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
