# SPDX-License-Identifier: Apache-2.0
"""The thread that turns image messages into published depth."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import torch
from rclpy.clock import Clock
from rclpy.impl.rcutils_logger import RcutilsLogger
from sensor_msgs.msg import CompressedImage, Image

from depthpro_ros.camera import CameraModel
from depthpro_ros.errors import CameraError, DepthProError
from depthpro_ros.filters import FocalFilter
from depthpro_ros.node.decoding import ImageDecoder
from depthpro_ros.node.diagnostics import Statistics
from depthpro_ros.node.mailbox import Mailbox
from depthpro_ros.node.messages import camera_model
from depthpro_ros.node.outputs import Outputs
from depthpro_ros.node.pairing import JUMP_BACK_NS, CameraInfos, stamp_ns
from depthpro_ros.node.parameters import Settings
from depthpro_ros.node.ros_logging import Throttle
from depthpro_ros.pipeline import Pipeline

CUDA_BROKEN: tuple[type[Exception], ...] = (torch.AcceleratorError,) if hasattr(torch, "AcceleratorError") else ()
"""Errors after which CUDA answers nothing any more in this process."""


@dataclass(frozen=True)
class Arrival:
    """An image and when it came.

    Attributes:
        message: as it was received.
        time_s: monotonic.
    """

    message: Image | CompressedImage
    time_s: float


class FrameWorker:
    """Takes the newest image, computes what somebody listens to, publishes it, and survives bad frames.

    Args:
        pipeline: used by this worker's thread alone, while that runs.
        outputs: where results go.
        infos: calibrations as they arrive.
        settings: gives the settings for the next frame.
        image_topic: its name tells whether the images are rectified.
        info_expected: tells whether anybody publishes CameraInfo.
        statistics: what is counted and timed.
        logger, clock: the node's.
        on_broken: called with the reason when the device is lost for good.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        outputs: Outputs,
        infos: CameraInfos,
        *,
        settings: Callable[[], Settings],
        image_topic: str,
        info_expected: Callable[[], bool],
        decoder: ImageDecoder,
        statistics: Statistics,
        logger: RcutilsLogger,
        clock: Clock,
        on_broken: Callable[[str], None],
    ) -> None:
        self._pipeline, self._outputs, self._infos = pipeline, outputs, infos
        self._settings, self._image_topic, self._info_expected = settings, image_topic, info_expected
        self._decoder, self._statistics = decoder, statistics
        self._logger, self._clock, self._on_broken = logger, clock, on_broken
        self._may_log = Throttle()
        self._mailbox: Mailbox[Arrival] = Mailbox()
        self._applied: Settings | None = None
        self._last_stamp_ns = 0
        self._last_frame_id: str | None = None
        self._warned_of_distortion = False
        self._after: FrameWorker | None = None
        self._thread = threading.Thread(target=self._run, name="depth", daemon=True)

    def start(self, after: FrameWorker | None = None) -> None:
        """Begin, once the worker before this one has finished its last frame."""
        self._after = after
        self._thread.start()

    def put(self, message: Image | CompressedImage) -> None:
        """Hand over an image; it replaces one that still waits."""
        replaced = self._mailbox.put(Arrival(message, time.monotonic()))
        self._statistics.arrived(replaced=replaced)

    def stop(self) -> None:
        """Take no more images. A frame in progress is finished, which `join` waits for."""
        self._mailbox.close()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the thread's end; false if it did not come in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        if self._after is not None:
            self._after.join()
            self._after = None
        while not self._mailbox.closed:
            arrival = self._mailbox.take()
            if arrival is not None:
                self._guarded(arrival)

    def _guarded(self, arrival: Arrival) -> None:
        """Serve one frame; whatever goes wrong is said and counted, and the next frame gets its chance."""
        try:
            self._serve(arrival)
        except DepthProError as error:
            self._refuse(str(error))
        except CUDA_BROKEN as error:
            self._refuse(f"the GPU does not answer any more: {error}")
            self._on_broken(str(error))
        except torch.cuda.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            self._refuse(f"out of device memory: {error}")
        except Exception as error:  # said, counted, and the next frame served
            self._refuse(f"{type(error).__name__}: {error}", traceback.format_exc())

    def _refuse(self, reason: str, details: str = "") -> None:
        self._statistics.refuse(reason)
        if self._may_log(reason) and not self._mailbox.closed:
            self._logger.error(f"frame refused: {reason}" + (f"\n{details}" if details else ""))

    def _serve(self, arrival: Arrival) -> None:
        message, header = arrival.message, arrival.message.header
        subscribed = self._outputs.subscribed()
        if not subscribed:
            self._statistics.skipped()
            return
        settings = self._settings()
        self._apply(settings)
        stamp = stamp_ns(header)
        if stamp < self._last_stamp_ns - JUMP_BACK_NS:
            self._logger.info("time went back: forgetting earlier focal estimates")
            self._pipeline.reset()
        elif self._last_frame_id not in (None, header.frame_id):
            self._logger.info(f"images are of frame {header.frame_id!r} now: forgetting earlier focal estimates")
            self._pipeline.reset()
        self._last_stamp_ns, self._last_frame_id = stamp, header.frame_id

        rgb = self._decoder.rgb(message)
        camera = self._camera(message, settings) if settings.needs_camera_info else None
        frame = self._pipeline.process(rgb, camera, self._outputs.wanted(subscribed), self._outputs.cloud_memory)
        if self._mailbox.closed:
            return  # deactivated meanwhile
        self._outputs.publish(frame, header, subscribed, settings.depth_encoding)

        since_stamp_ms = (self._clock.now().nanoseconds - stamp) / 1e6
        self._statistics.focal(frame.intrinsics.fx, frame.focal_source, self._pipeline.focal_filter.locked)
        self._statistics.served(
            from_stamp_ms=since_stamp_ms if stamp else None,
            from_arrival_ms=(time.monotonic() - arrival.time_s) * 1e3,
            model_ms=frame.model_ms,
        )

    def _apply(self, settings: Settings) -> None:
        """Bring changed settings to the pipeline."""
        if settings is self._applied:
            return
        before = self._applied
        self._pipeline.settings = settings.pipeline(self._image_topic)
        focal = (settings.focal_lock_after, settings.focal_tolerance)
        if before is None or focal != (before.focal_lock_after, before.focal_tolerance):
            self._pipeline.focal_filter = FocalFilter(lock_after=focal[0], tolerance=focal[1])
        self._applied = settings

    def _camera(self, message: Image | CompressedImage, settings: Settings) -> CameraModel | None:
        """The calibration that belongs to an image, or None where none has come.

        Raises:
            CameraError: it is another camera's.
        """
        info = self._infos.find(message.header, settings.camera_info_wait_s, self._info_expected())
        if info is None:
            return None
        camera = camera_model(info)
        frame_id = message.header.frame_id
        if camera.calibrated and camera.frame_id != frame_id:
            raise CameraError(
                f"CameraInfo is of frame {camera.frame_id!r}, the image of {frame_id!r}: "
                "remap camera_info to the topic of the image's own camera"
            )
        rectified = settings.rectify or settings.is_rectified(self._image_topic)
        if camera.calibrated and camera.distorted and not rectified and not self._warned_of_distortion:
            self._warned_of_distortion = True
            self._logger.warning(
                f"{self._image_topic} has lens distortion (D of its CameraInfo is not zero), which bends the "
                "cloud: set 'rectify', or use a rectified image topic"
            )
        return camera
