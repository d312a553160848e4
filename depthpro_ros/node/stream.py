# SPDX-License-Identifier: Apache-2.0
"""One camera's way through the node, before and after the network."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from rclpy.clock import Clock
from rclpy.impl.rcutils_logger import RcutilsLogger
from sensor_msgs.msg import CompressedImage, Image

from depthpro_ros.camera import CameraModel
from depthpro_ros.errors import CameraError
from depthpro_ros.filters import FocalFilter
from depthpro_ros.models.estimator import Prediction
from depthpro_ros.node.cameras import Camera
from depthpro_ros.node.continuity import Continuity
from depthpro_ros.node.decoding import ImageDecoder
from depthpro_ros.node.device_copy import CopyStream, computed
from depthpro_ros.node.frame_times import FrameTimes
from depthpro_ros.node.messages import camera_model
from depthpro_ros.node.outputs import POINTS
from depthpro_ros.node.pairing import stamp_ns
from depthpro_ros.node.parameters import Settings
from depthpro_ros.node.plausibility import check_prediction
from depthpro_ros.node.rate_limit import RateLimit
from depthpro_ros.node.stream_frames import Arrival, BegunFrame, FinishedFrame
from depthpro_ros.pipeline import Pipeline


class CameraStream:
    """The frames of one camera, while the node is active.

    `ready_in`, `begin` and `finish` are called by the worker's thread, `publish` by the publisher's.

    Args:
        camera: topics, outputs, calibrations and counts.
        pipeline: of this camera alone; its focal length is estimated anew.
        settings: gives the settings for the next frame.
        decoder: of image messages.
        logger, clock: the node's.
    """

    def __init__(
        self,
        camera: Camera,
        pipeline: Pipeline,
        *,
        settings: Callable[[], Settings],
        decoder: ImageDecoder,
        logger: RcutilsLogger,
        clock: Clock,
    ) -> None:
        self.camera, self._pipeline, self._settings = camera, pipeline, settings
        self._decoder, self._logger, self._clock = decoder, logger, clock
        self._image_topic = camera.image_topic
        self._copies = CopyStream()
        self._images_rate, self._clouds_rate = RateLimit(), RateLimit()
        self._applied: Settings | None = None
        self._continuity = Continuity(camera.statistics, warn=self._warn, inform=self._inform)
        self._sought: Arrival | None = None
        self._sought_s = 0.0
        self._warned_of_distortion = False

    def arrived(self, message: Image | CompressedImage) -> None:
        """An image came. Called by the executor's thread."""
        self.camera.statistics.arrived()
        self._continuity.arrived(message.header)

    def due(self, time_s: float) -> bool:
        """Whether an image that comes now may be computed, by `max_rate_hz`. Called by the executor's thread."""
        return self._images_rate.due(time_s, self._settings().max_rate_hz)

    def ready_in(self, arrival: Arrival) -> float:
        """In how many seconds the image is to be computed, if its CameraInfo does not come: 0 or less is now."""
        settings = self._settings()
        if not settings.needs_camera_info:
            return 0.0
        if not self.camera.infos.awaited(arrival.message.header, self.camera.info_expected):
            return 0.0
        now = time.monotonic()
        if self._sought is not arrival:
            self._sought, self._sought_s = arrival, now
        return self._sought_s + settings.camera_info_wait_s - now

    def begin(self, arrival: Arrival, at: Callable[[str], object] = lambda stage: None) -> BegunFrame | None:
        """Find an image's calibration, decode it and choose the focal length; None if nobody listens.

        Args:
            arrival: the image.
            at: called with each stage that is reached.

        Raises:
            DepthProError: the image or its calibration is unusable; says why.
        """
        taken_s = time.monotonic()
        # the time since it was first looked for, unless it was there
        sought_s = taken_s if self._sought is not arrival else self._sought_s
        settings, message = self._settings(), arrival.message
        listened_to = self.camera.outputs.subscribed()
        if not listened_to:
            self.camera.statistics.skipped()
            return None
        subscribed = self._within_rates(listened_to, arrival, settings)
        if not subscribed:
            self.camera.statistics.beyond_rate(taken=True)
            return None
        self._apply(settings)
        at("pairing")
        pairing_s = time.monotonic()
        camera = self._calibration(message, settings) if settings.needs_camera_info else None
        paired_s = time.monotonic()
        at("decoding")
        rgb = self._decoder.rgb(message, settings.max_image_megapixels)
        if self._continuity.broken(message.header, rgb.shape[:2]):
            self._pipeline.reset()
        prepared = self._pipeline.prepare(rgb, camera)
        prepared_s = time.monotonic()
        return BegunFrame(
            arrival=arrival,
            prepared=prepared,
            subscribed=subscribed,
            encodings=settings.encodings,
            waiting_ms=(sought_s - arrival.time_s) * 1e3,
            decoding_ms=(prepared_s - paired_s) * 1e3,
            pairing_ms=(taken_s - sought_s + paired_s - pairing_s) * 1e3,
        )

    def finish(self, begun: BegunFrame, prediction: Prediction, model_ms: float, batch: int) -> FinishedFrame:
        """Make depth and cloud of what the network said, in the spare messages where the memory allows it.

        Raises:
            PredictionError: the network said what cannot be a depth of this image.
        """
        started_s = time.monotonic()
        height, width = begun.prepared.rgb.shape[:2]
        check_prediction(prediction, height, width, begun.prepared.focal_px)
        writers = self.camera.outputs.spare
        # from a GPU the publisher's thread copies
        memory = None if prediction.device.type == "cuda" else writers.cloud.memory
        wanted = self.camera.outputs.wanted(begun.subscribed)
        header, ranges = begun.arrival.message.header, None
        if self.camera.ranges is not None and (wanted.depth or wanted.cloud or wanted.confidence or wanted.scale):
            ranges = self.camera.ranges.at(header, self._settings().ranges_max_age_s)
        # without a stamp, the time that passes between frames
        stamp_s = stamp_ns(header) / 1e9 or started_s
        depth = self._pipeline.finish(begun.prepared, prediction, model_ms, wanted, memory, ranges, stamp_s)
        self._continuity.scale(depth.scale)
        locked = self._pipeline.focal_filter.locked
        self._continuity.focal(depth, locked=locked, tolerance=self._settings().focal_tolerance)
        result = depth.relative_depth if depth.depth_m is None else depth.depth_m
        finished_s = time.monotonic()
        return FinishedFrame(
            begun=begun,
            depth=depth,
            mark=None if result is None else computed(result),
            writers=writers,
            focal_locked=locked,
            batch=batch,
            after_model_ms=(finished_s - started_s) * 1e3,
            time_s=finished_s,
        )

    def publish(self, frame: FinishedFrame) -> None:
        """Publish a frame and count it."""
        begun, depth = frame.begun, frame.depth
        header = begun.arrival.message.header
        # before the header is given away
        stamp = stamp_ns(header)
        with self._copies.after(frame.mark, depth.device):
            self.camera.outputs.publish(depth, header, begun.subscribed, begun.encodings, frame.writers)
        published_s = time.monotonic()
        statistics = self.camera.statistics
        if depth.intrinsics is None:
            statistics.focal(math.nan, "", locked=False)
        else:
            statistics.focal(depth.intrinsics.fx, depth.focal_source or "", frame.focal_locked)
        statistics.scaled(depth.scale)
        times = FrameTimes(
            from_stamp=(self._clock.now().nanoseconds - stamp) / 1e6 if stamp else None,
            from_arrival=(published_s - begun.arrival.time_s) * 1e3,
            waiting=begun.waiting_ms,
            decoding=begun.decoding_ms,
            pairing=begun.pairing_ms,
            model=depth.model_ms,
            after_model=frame.after_model_ms,
            publishing=(published_s - frame.time_s) * 1e3,
        )
        statistics.served(times, frame.batch)

    def _within_rates(self, subscribed: frozenset[str], arrival: Arrival, settings: Settings) -> frozenset[str]:
        """The outputs that are to be made of this image: not the cloud, if the last one was too short ago."""
        if POINTS in subscribed and not self._clouds_rate.due(arrival.time_s, settings.cloud_max_rate_hz):
            return subscribed - {POINTS}
        return subscribed

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

    def _calibration(self, message: Image | CompressedImage, settings: Settings) -> CameraModel | None:
        """The calibration that belongs to an image, or None where none has come.

        Raises:
            CameraError: it is another camera's.
        """
        info = self.camera.infos.find(message.header)
        if info is None:
            return None
        self._continuity.calibrated_by(info.header, message.header)
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

    def _inform(self, text: str) -> None:
        self._logger.info(self.camera.label + text)

    def _warn(self, text: str) -> None:
        self._logger.warning(self.camera.label + text)
