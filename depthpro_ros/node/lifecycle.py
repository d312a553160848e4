# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node: it wires cameras, parameters, worker and diagnostics together."""

from __future__ import annotations

import contextlib
import logging
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.task import Future

from depthpro_ros.allocator import keep_freed_memory
from depthpro_ros.errors import DepthProError, WeightsError
from depthpro_ros.models.estimator import Estimator
from depthpro_ros.node.cameras import cameras
from depthpro_ros.node.decoding import ImageDecoder
from depthpro_ros.node.diagnostics import Condition
from depthpro_ros.node.ending import ANSWERED_S, STOP_S, DeviceLost, Hung, limit_the_end
from depthpro_ros.node.live_settings import LiveSettings
from depthpro_ros.node.loading import Load, ModelLoader, load_estimator
from depthpro_ros.node.memory import give_back_memory
from depthpro_ros.node.parameters import Settings
from depthpro_ros.node.reporter import Reporter
from depthpro_ros.node.ros_logging import RosHandler
from depthpro_ros.node.startup import Startup
from depthpro_ros.node.stream import CameraStream
from depthpro_ros.node.timers import Retry, steady_timer
from depthpro_ros.node.worker import BatchWorker
from depthpro_ros.pipeline import Pipeline

LOOK_S = 0.05
"""How often whatever waits on the executor's thread looks whether the process is to end."""


class DepthNode(LifecycleNode):
    """Camera images in; depth, the camera used, a cloud and the estimated camera out, for one camera or several.

    Configuring loads the model, activating subscribes. Frames are computed on a thread of their own, so
    that parameters and transitions answer meanwhile.

    Args:
        load: makes the estimator from the parameter model and `Settings.load_options`.
        options: of `rclpy.node.Node`.

    Attributes:
        told_to_end: done once the lifecycle has reached its last state, from which there is no way back.
    """

    def __init__(self, *, load: Load = load_estimator, **options: Any) -> None:
        super().__init__("depth_pro", **options)
        self._startup = Startup()
        logging.getLogger("depthpro_ros").addHandler(RosHandler(self.get_logger()))
        self._live = LiveSettings(self)
        self._state = "unconfigured"
        self._failure = ""
        self._loader = ModelLoader(load, self.get_logger())
        self._estimator: Estimator | None = None
        self._pipelines: list[Pipeline] = []
        self._worker: BatchWorker | None = None
        self._cameras = cameras(self, self._settings.cameras)
        self._decoder = ImageDecoder()
        self.get_logger().info(
            f"cv_bridge is not used ({self._decoder.problem}), OpenCV converts images"
            if self._decoder.problem
            else "cv_bridge converts images"
        )
        self._broken, self._hanging = "", ""
        self.told_to_end: Future[None] = Future()
        self._wake = self.create_guard_condition(self._woken)
        self._lacks_weights = False
        self._retry = Retry(self, self._load_again)
        self._reporter = Reporter(self, self._cameras, self._condition, self._settings.diagnostics_period_s)
        self._startup.ended("imports")
        if self._settings.autostart:
            # not on this thread, so that services answer while the model is loaded
            self._loader.begin(self._settings, self._model_loaded)

    @property
    def _settings(self) -> Settings:
        return self._live.now

    # Transitions

    def _model_loaded(self) -> None:
        with contextlib.suppress(InvalidHandle):  # the node is gone
            self._wake.trigger()

    def _woken(self) -> None:
        """Something happened on another thread."""
        if self._broken or self._hanging:
            self._reporter.report()
            raise Hung(self._hanging) if self._hanging else DeviceLost(self._broken)
        if self._loader.begun and not self._loader.loading and self._state == "unconfigured":
            if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
                self.trigger_activate()
            elif self._settings.autostart and self._lacks_weights:
                self._retry.later()

    def _load_again(self) -> None:
        """The file may have come back."""
        if self._state == "unconfigured" and not self._loader.begun:
            self._loader.begin(self._settings, self._model_loaded)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model."""
        self._retry.cancel()
        self._lacks_weights = False
        if not self._loader.begun:
            self._startup.ended("waiting to be configured")
        try:
            estimator = self._loader.fetch(self._settings, self._wait)
        except DepthProError as error:
            self._lacks_weights = isinstance(error, WeightsError)
            return self._failed(str(error))
        except ExternalShutdownException:
            return TransitionCallbackReturn.FAILURE
        except Exception as error:  # rclpy would swallow it
            self.get_logger().error("".join(traceback.format_exception(error)))
            return self._failed(f"{type(error).__name__}: {error}")
        self._estimator, self._failure = estimator, ""
        self._pipelines = [Pipeline(estimator) for _ in self._cameras]
        info = estimator.info
        self.get_logger().info(f"{info.name} on {info.device} in {info.precision}, from {info.weights}")
        self._state = "inactive"
        self._startup.ended("model")
        return super().on_configure(state)

    def _failed(self, reason: str, what: str = "configure") -> TransitionCallbackReturn:
        self._failure = reason
        self.get_logger().error(f"cannot {what}: {reason}")
        return TransitionCallbackReturn.FAILURE

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start the worker and subscribe."""
        assert self._estimator is not None
        result = super().on_activate(state)
        if result != TransitionCallbackReturn.SUCCESS:
            return result
        self._startup.ended("waiting to be activated")
        streams = [
            CameraStream(
                camera,
                pipeline,
                settings=lambda: self._settings,
                decoder=self._decoder,
                logger=self.get_logger(),
                clock=self.get_clock(),
            )
            for camera, pipeline in zip(self._cameras, self._pipelines, strict=True)
        ]
        worker = BatchWorker(
            self._estimator,
            streams,
            most=lambda: self._settings.max_batch,
            logger=self.get_logger(),
            on_broken=self._device_lost,
            on_hang=self._hangs,
            frame_limit_s=lambda: self._settings.frame_limit_s,
            on_begun=lambda time_s: self._startup.ended("waiting for the first image", time_s),
            on_published=self._published,
        )
        keep_freed_memory()  # not earlier: loading a model leaves large blocks that are better given back
        worker.start(after=self._worker)
        self._worker = worker
        source = self._settings.source(metric=self._estimator.info.metric)
        try:
            for number, camera in enumerate(self._cameras):
                camera.subscribe(
                    self._settings,
                    partial(worker.put, number),
                    worker.info_arrived,
                    with_ranges=source == "ranges",
                )
        except Exception as error:  # rclpy would swallow it, and go back farther than to where this began
            self.get_logger().error("".join(traceback.format_exception(error)))
            self._unsubscribe()
            super().on_deactivate(state)
            return self._failed(f"{type(error).__name__}: {error}", "activate")
        self._failure = ""
        self._state = "active"
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and stop. A frame in progress is finished, but not published."""
        self._unsubscribe()
        give_back_memory()
        self._state = "inactive"
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model."""
        self._unsubscribe()
        if self._worker is not None:
            self._wait(self._worker.join)
            for camera in self._cameras:
                camera.outputs.release()
        self._estimator = self._worker = None
        self._pipelines = []
        give_back_memory(of_device=True)
        self._state = "unconfigured"
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop for good: the process ends, once the answer is out."""
        self._unsubscribe()
        self._state = "finalized"
        steady_timer(self, ANSWERED_S, self._end)
        return super().on_shutdown(state)

    def _end(self) -> None:
        if not self.told_to_end.done():
            self.told_to_end.set_result(None)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured after an error in a transition."""
        if self.context.ok():  # else it failed since the process is to end
            self.get_logger().error(f"a transition from {state.label} failed")
        return self.on_cleanup(state)

    def _unsubscribe(self) -> None:
        for camera in self._cameras:
            camera.unsubscribe()
        if self._worker is not None:
            self._worker.stop()

    def _wait(self, done: Callable[[float | None], object]) -> None:
        """Wait for something on the executor's thread, see `depthpro_ros.node.loading.Wait`.

        Raises:
            ExternalShutdownException: the process was told to end meanwhile.
        """
        while not done(LOOK_S):
            if not self.context.ok():
                raise ExternalShutdownException

    def stop(self) -> bool:
        """Unsubscribe and wait for the frame in progress; false if it takes longer than `STOP_S`."""
        end = time.monotonic() + STOP_S
        self._unsubscribe()
        if self._loader.loading:
            return False
        return self._worker is None or self._worker.join(max(0.0, end - time.monotonic()))

    def destroy_node(self) -> None:
        """Leave the network. Threads that still compute may refer to this object, but hold nothing of it up.

        rclpy's state machine holds the rcl node, and with that the middleware's participant and its shared memory.
        """
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()

    # From other threads, and to the user

    def _device_lost(self, reason: str) -> None:
        self._broken = reason
        self._wake.trigger()

    def _hangs(self, text: str) -> None:
        if self._settings.on_hang == "exit":
            self._hanging = text
            # also where the executor's thread waits for the one that hangs
            limit_the_end(Hung.status)
            with contextlib.suppress(InvalidHandle):  # the node is gone
                self._wake.trigger()

    def _published(self) -> None:
        if self._startup.ended("first frame"):
            self.get_logger().info(self._startup.text())

    def _condition(self) -> Condition:
        return Condition(self._state, self._estimator.info if self._estimator else None, self._failure)
