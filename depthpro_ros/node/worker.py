# SPDX-License-Identifier: Apache-2.0
"""The thread that turns the images of all cameras into depth, a batch in each cycle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import rclpy
import torch
from rclpy.impl.rcutils_logger import RcutilsLogger
from sensor_msgs.msg import CompressedImage, Image

from depthpro_ros.models.estimator import Estimator, Prediction
from depthpro_ros.node.batch import Begun, Finished, Taken
from depthpro_ros.node.failures import Failure
from depthpro_ros.node.mailbox import Mailboxes
from depthpro_ros.node.publisher import PublishingThread
from depthpro_ros.node.ros_logging import Throttle
from depthpro_ros.node.stream import CameraStream
from depthpro_ros.node.stream_frames import Arrival, BegunFrame
from depthpro_ros.node.watchdog import Activity, Hang, Watchdog


class BatchWorker:
    """Takes the newest image of every camera, computes what somebody listens to, and survives bad frames.

    Finished frames are published by another thread, while this one computes the next. Both are watched: what takes too
    long is logged and shown in the camera's statistics.

    Args:
        estimator: used by this worker's thread alone, while that runs.
        streams: the cameras.
        most: gives how many images may share a batch; 0 is no limit.
        logger: the node's.
        on_broken: called with the reason when the device is lost for good, or the worker itself is.
        on_hang: called, on the watchdog's thread, with what takes longer than it may.
        frame_limit_s: gives how long that is, seconds; 0 is by itself.
        on_begun: called with each image's time of arrival (monotonic) when its frame is begun.
        on_published: called when a frame is out, on the publisher's thread.
    """

    def __init__(
        self,
        estimator: Estimator,
        streams: Sequence[CameraStream],
        *,
        most: Callable[[], int],
        logger: RcutilsLogger,
        on_broken: Callable[[str], None],
        on_hang: Callable[[str], object] = lambda text: None,
        frame_limit_s: Callable[[], float] = lambda: 0.0,
        on_begun: Callable[[float], object] = lambda time_s: None,
        on_published: Callable[[], object] = lambda: None,
    ) -> None:
        self._estimator, self._streams, self._most = estimator, streams, most
        self._logger, self._on_broken, self._on_hang = logger, on_broken, on_hang
        self._on_begun, self._on_published = on_begun, on_published
        self._may_log = Throttle()
        self._mailboxes = Mailboxes[Arrival](len(streams), lambda i, arrival: streams[i].ready_in(arrival))
        self._publisher = PublishingThread[Finished](self._publish, self._give_up)
        self._computing, self._publishing = Activity[Taken](), Activity[Taken]()
        self._watchdog = Watchdog[Taken](
            [self._computing, self._publishing],
            limit_s=frame_limit_s,
            on_gpu=estimator.info.device.startswith("cuda"),
            name=str,
            on_hang=self._hangs,
            on_gone_on=self._gone_on,
        )
        self._fits = 0  # as many images as the device's memory was found to hold; 0 is not known
        self._after: BatchWorker | None = None
        self._thread = threading.Thread(target=self._run, name="depth", daemon=True)

    def start(self, after: BatchWorker | None = None) -> None:
        """Begin, once the worker before this one has finished its last frame."""
        self._after = after
        self._thread.start()

    def put(self, camera: int, message: Image | CompressedImage) -> None:
        """Hand over an image of a camera, by its number in `streams`; it replaces one that still waits."""
        stream, time_s = self._streams[camera], time.monotonic()
        stream.arrived(message)
        if not stream.due(time_s):
            stream.camera.statistics.beyond_rate(taken=False)
        elif self._mailboxes.put(camera, Arrival(message, time_s)):
            stream.camera.statistics.replaced()

    def info_arrived(self) -> None:
        """A CameraInfo came that an image may be waiting for."""
        self._mailboxes.look_again()

    def stop(self) -> None:
        """Take no more images and publish nothing more. A batch in progress is finished, which `join` waits for."""
        for stream, dropped in zip(self._streams, self._mailboxes.close(), strict=True):
            stream.camera.statistics.replaced(dropped)
        self._publisher.stop()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the threads' end; false if it did not come in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        if self._after is not None:
            self._after.join()
            self._after = None
        self._publisher.start()
        self._watchdog.start()
        try:
            self._work()
        except Exception as error:  # of the worker itself: without it the node would live on and do nothing
            if rclpy.ok() and not self._mailboxes.closed:
                failure = Failure.of(error)
                self._logger.error(f"the worker ends: {failure.reason}\n{failure.details}")
                self._on_broken(failure.reason)
        self._publisher.join()
        self._watchdog.stop()

    def _work(self) -> None:
        cycle = 0
        while taken := [Taken(self._streams[n], arrival) for n, arrival in self._mailboxes.take(self._limit())]:
            cycle += 1
            for one in taken:
                one.stream.camera.statistics.taken()
            begun = [b for one in taken if (b := self._begin(one)) is not None]
            if begun:
                self._serve(cycle, begun)

    def _limit(self) -> int:
        limits = [limit for limit in (self._most(), self._fits) if limit]
        return min(limits, default=0)

    def _begin(self, taken: Taken) -> Begun | None:
        """One frame before the network; None if it is not to be computed."""
        try:
            with self._computing.on([taken], "pairing"):
                frame = taken.stream.begin(taken.arrival, self._computing.at)
        except Exception as error:  # said, counted, and the other frames served
            self._refuse(taken.stream, Failure.of(error))
            return None
        if frame is None:
            return None
        self._on_begun(taken.arrival.time_s)
        return Begun(taken, frame)

    def _serve(self, cycle: int, batch: Sequence[Begun]) -> None:
        """Compute a batch; if that fails, its frames one by one, so that a bad one costs none of the others."""
        with self._computing.on([begun.taken for begun in batch], "model"):
            try:
                predictions, model_ms = self._predict([begun.frame for begun in batch])
            except Exception as error:  # said, counted, and the next frames served
                failure = Failure.of(error)
            else:
                for begun, prediction in zip(batch, predictions, strict=True):
                    self._finish(cycle, begun, prediction, model_ms, len(batch))
                self._computing.went_well()
                return
        # here, where nothing holds the failed pass's tensors
        if failure.out_of_memory:
            torch.cuda.empty_cache()
        if len(batch) > 1 and not failure.device_lost:
            self._notice_batch(len(batch), failure)
            for begun in batch:
                self._serve(cycle, [begun])
            return
        for begun in batch:
            self._refuse(begun.taken.stream, failure)

    def _predict(self, batch: Sequence[BegunFrame]) -> tuple[Sequence[Prediction], float]:
        """The network's answers, and how long it took in milliseconds."""
        started = time.perf_counter()
        prepared = [frame.prepared for frame in batch]
        predictions: Sequence[Prediction]
        if len(prepared) == 1:
            predictions = [self._estimator.predict(prepared[0].rgb, prepared[0].focal_px)]
        else:
            predictions = self._estimator.predict_many([p.rgb for p in prepared], [p.focal_px for p in prepared])
            if len(predictions) != len(prepared):
                raise RuntimeError(f"the model made {len(predictions)} predictions of {len(prepared)} images")
        device = predictions[0].device
        if device.type == "cuda":
            # not the whole device, where the last frame may still be copied
            torch.cuda.current_stream(device).synchronize()
        return predictions, (time.perf_counter() - started) * 1e3

    def _finish(self, cycle: int, begun: Begun, prediction: Prediction, model_ms: float, batch: int) -> None:
        """One frame after the network, handed over to be published."""
        stream = begun.taken.stream
        self._computing.at("after the model")
        try:
            frame = stream.finish(begun.frame, prediction, model_ms, batch)
        except Exception as error:  # said, counted, and the other frames served
            self._refuse(stream, Failure.of(error))
            return
        finished = Finished(begun.taken, frame)
        self._computing.at("waiting for the publication of the frame before", waits=True)
        if self._publisher.put(cycle, finished):
            stream.camera.outputs.swap()
        else:
            self._give_up(finished)

    def _publish(self, finished: Finished) -> None:
        """One frame's messages; runs on the publisher's thread."""
        taken = finished.taken
        try:
            with self._publishing.on([taken], "publishing"):
                taken.stream.publish(finished.frame)
                self._publishing.went_well()
        except Exception as error:  # said, counted, and the next frame published
            if rclpy.ok():
                self._refuse(taken.stream, Failure.of(error))
            else:  # a signal has ended the context amid the frame
                self._give_up(finished)
            return
        self._on_published()

    def _give_up(self, finished: Finished) -> None:
        """A frame comes too late to be published."""
        finished.taken.stream.camera.statistics.given_up()

    def _hangs(self, hang: Hang, frames: Sequence[Taken]) -> None:
        """On the watchdog's thread."""
        for stream in {id(taken.stream): taken.stream for taken in frames}.values():
            stream.camera.statistics.hangs(hang)
        self._logger.error(f"{hang.text}; its thread is at:\n{hang.stack}")
        self._on_hang(hang.text)

    def _gone_on(self, hang: Hang, frames: Sequence[Taken]) -> None:
        """On the watchdog's thread."""
        for taken in frames:
            taken.stream.camera.statistics.hangs(None)
        self._logger.warning(f"it has gone on: {hang.text}")

    def _notice_batch(self, size: int, failure: Failure) -> None:
        text = f"{size} images at once failed ({failure.reason}): computing them one by one"
        if failure.out_of_memory:
            self._fits = max(1, size // 2)
            text += f", and at most {self._fits} at once from now on"
        if self._may_log(text):
            self._logger.warning(text + (f"\n{failure.details}" if failure.details else ""))

    def _refuse(self, stream: CameraStream, failure: Failure) -> None:
        stream.camera.statistics.refuse(failure.reason)
        text = f"{stream.camera.label}frame refused: {failure.reason}"
        if self._may_log(text) and not self._mailboxes.closed:
            self._logger.error(text + (f"\n{failure.details}" if failure.details else ""))
        if failure.device_lost:
            self._on_broken(failure.reason)
