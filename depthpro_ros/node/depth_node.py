# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node: it wires topics, parameters, worker and diagnostics together."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import InvalidHandle, ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depthpro_ros.errors import DepthProError, InputError
from depthpro_ros.models.estimator import Estimator
from depthpro_ros.node.decoding import ImageDecoder
from depthpro_ros.node.diagnostics import Statistics, report
from depthpro_ros.node.memory import keep_freed_memory
from depthpro_ros.node.outputs import Outputs
from depthpro_ros.node.pairing import CameraInfos
from depthpro_ros.node.parameters import declare
from depthpro_ros.node.ros_logging import RosHandler
from depthpro_ros.node.subscriptions import MatchedSubscription
from depthpro_ros.node.worker import FrameWorker
from depthpro_ros.pipeline import Pipeline

Load = Callable[..., Estimator]
"""`load_estimator`, or what tests put in its place."""
STOP_S = 1.5
"""How long a frame in progress may delay the end of the process."""


def _load_estimator(model: str, **options: str) -> Estimator:
    from depthpro_ros.models import load_estimator

    return load_estimator(model, **options)


class DepthNode(LifecycleNode):
    """Camera images in; depth, the camera used, a cloud and the estimated camera out.

    Configuring loads the model, activating subscribes. Frames are computed on a thread of their own, so
    that parameters and transitions answer meanwhile.

    Args:
        load: makes the estimator from the parameters model, device and precision.
        options: of `rclpy.node.Node`.
    """

    def __init__(self, *, load: Load = _load_estimator, **options: Any) -> None:
        super().__init__("depth_pro", **options)
        logging.getLogger("depthpro_ros").addHandler(RosHandler(self.get_logger()))
        self._load = load
        self._settings = declare(self)
        self.add_on_set_parameters_callback(self._check_parameters)
        if hasattr(self, "add_post_set_parameters_callback"):
            self.add_post_set_parameters_callback(self._use_parameters)

        self._state = "unconfigured"
        self._failure = ""
        self._estimator: Future[Estimator] | None = None
        self._pipeline: Pipeline | None = None
        self._worker: FrameWorker | None = None
        self._subscriptions_in: list[MatchedSubscription] = []
        self._outputs = Outputs(self)
        self._infos = CameraInfos()
        self._statistics = Statistics()
        self._decoder = ImageDecoder()
        self.get_logger().info(
            f"cv_bridge is not used ({self._decoder.problem}), OpenCV converts images"
            if self._decoder.problem
            else "cv_bridge converts images"
        )
        self._broken = ""
        self._wake = self.create_guard_condition(self._woken)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.create_timer(self._settings.diagnostics_period_s, self._report)
        if self._settings.autostart:
            # in the executor, so that services answer while the model is loaded
            self._autostart = self.create_timer(0.0, self._begin_autostart)

    # Topics

    @property
    def image_topic(self) -> str:
        """The image topic, fully resolved, without the transport's suffix."""
        return self.resolve_topic_name("image").removesuffix("/compressed")

    @property
    def camera_info_topic(self) -> str:
        """What `camera_info` was remapped to, or else the sibling of the image topic."""
        resolved = self.resolve_topic_name("camera_info")
        if resolved != self.resolve_topic_name("camera_info", only_expand=True):
            return resolved
        return self.image_topic.rsplit("/", 1)[0] + "/camera_info"

    # Parameters

    def _check_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        try:
            settings = self._settings.replaced({p.name: p.value for p in parameters})
        except InputError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if not hasattr(self, "add_post_set_parameters_callback"):  # Humble
            self._settings = settings
        return SetParametersResult(successful=True)

    def _use_parameters(self, parameters: list[Parameter]) -> None:
        self._settings = self._settings.replaced({p.name: p.value for p in parameters})

    # Transitions

    def _begin_autostart(self) -> None:
        self.destroy_timer(self._autostart)
        if self._estimator is None:
            self._estimator = Future()
            threading.Thread(target=self._load_aside, args=(self._estimator,), daemon=True).start()

    def _load_aside(self, estimator: Future[Estimator]) -> None:
        try:
            estimator.set_result(self._load_model())
        except Exception as error:  # raised again where the result is asked for
            estimator.set_exception(error)
        with contextlib.suppress(InvalidHandle):  # the node is gone
            self._wake.trigger()

    def _load_model(self) -> Estimator:
        s = self._settings
        self.get_logger().info(f"loading model {s.model!r}")
        return self._load(s.model, device=s.device, precision=s.precision)

    def _woken(self) -> None:
        """Something happened on another thread."""
        if self._broken:
            raise DeviceLost(self._broken)
        if (
            self._estimator is not None
            and self._state == "unconfigured"
            and self.trigger_configure() == TransitionCallbackReturn.SUCCESS
        ):
            self.trigger_activate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model."""
        loading, self._estimator = self._estimator, None
        try:
            estimator = loading.result() if loading is not None else self._load_model()
        except DepthProError as error:
            return self._failed(str(error))
        except Exception as error:  # rclpy would swallow it
            self.get_logger().error("".join(traceback.format_exception(error)))
            return self._failed(f"{type(error).__name__}: {error}")
        self._pipeline, self._failure = Pipeline(estimator), ""
        info = estimator.info
        self.get_logger().info(f"{info.name} on {info.device} in {info.precision}, from {info.weights}")
        self._state = "inactive"
        return super().on_configure(state)

    def _failed(self, reason: str) -> TransitionCallbackReturn:
        self._failure = reason
        self.get_logger().error(f"cannot configure: {reason}")
        return TransitionCallbackReturn.FAILURE

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start the worker and subscribe."""
        assert self._pipeline is not None
        result = super().on_activate(state)
        if result != TransitionCallbackReturn.SUCCESS:
            return result
        settings, compressed = self._settings, self._settings.image_transport == "compressed"
        info = MatchedSubscription(
            self,
            CameraInfo,
            self.camera_info_topic,
            self._infos.put,
            depth=10,
            reliability=settings.image_reliability,
        )
        worker = FrameWorker(
            self._pipeline,
            self._outputs,
            self._infos,
            settings=lambda: self._settings,
            image_topic=self.image_topic,
            info_expected=lambda: info.publishers > 0,
            decoder=self._decoder,
            statistics=self._statistics,
            logger=self.get_logger(),
            clock=self.get_clock(),
            on_broken=self._device_lost,
        )
        keep_freed_memory()  # not earlier: loading a model leaves large blocks that are better given back
        worker.start(after=self._worker)
        self._worker = worker
        image = MatchedSubscription(
            self,
            CompressedImage if compressed else Image,
            self.image_topic + ("/compressed" if compressed else ""),
            worker.put,
            reliability=settings.image_reliability,
        )
        self._subscriptions_in = [info, image]
        self.get_logger().info(f"active: images from {image.topic}, calibration from {info.topic}")
        self._state = "active"
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and stop. A frame in progress is finished, but not published."""
        self._unsubscribe()
        self._state = "inactive"
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model."""
        self._unsubscribe()
        if self._worker is not None:
            self._worker.join()
        self._pipeline = self._worker = None
        _empty_device_cache()
        self._state = "unconfigured"
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop for good."""
        self._unsubscribe()
        self._state = "finalized"
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured after an error in a transition."""
        self.get_logger().error(f"a transition from {state.label} failed")
        return self.on_cleanup(state)

    def _unsubscribe(self) -> None:
        for subscription in self._subscriptions_in:
            subscription.destroy()
        self._subscriptions_in = []
        if self._worker is not None:
            self._worker.stop()
        self._infos.clear()

    def _device_lost(self, reason: str) -> None:
        self._broken = reason
        self._wake.trigger()

    def _report(self) -> None:
        extra = {"image topic": self.image_topic, "camera_info topic": self.camera_info_topic}
        if self._subscriptions_in:
            extra["image reliability"] = self._subscriptions_in[-1].reliability.name.lower()
        extra["subscribed outputs"] = ", ".join(sorted(self._outputs.subscribed()))
        self._diagnostics.publish(
            report(
                self.get_fully_qualified_name(),
                self.get_clock().now(),
                self._statistics,
                state=self._state,
                model=self._pipeline.estimator.info if self._pipeline else None,
                failure=self._failure,
                extra=extra,
            )
        )

    def stop(self) -> bool:
        """Unsubscribe and wait for the frame in progress; false if it takes longer than `STOP_S`."""
        self._unsubscribe()
        loading = self._estimator is not None and not self._estimator.done()
        return not loading and (self._worker is None or self._worker.join(STOP_S))


class DeviceLost(RuntimeError):
    """The GPU does not answer any more; only a new process helps."""


def _empty_device_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def run(args: list[str] | None = None, *, load: Load = _load_estimator) -> int:
    """Run the node until it is told to end; returns the process's exit status."""
    rclpy.init(args=args)
    try:
        node = DepthNode(load=load)
    except (InputError, ParameterException) as error:
        rclpy.logging.get_logger("depth_pro").fatal(str(error))
        rclpy.try_shutdown()
        return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    status = 0
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except rclpy_implementation.RCLError:
        if rclpy.ok():  # else the signal came between two of the executor's own steps
            raise
    except DeviceLost as error:
        node.get_logger().fatal(f"ending, so that launch can start a new process: {error}")
        status = 1
    # `ros2 launch` and the terminal may both send SIGINT
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not node.stop():
        print("depth_node: giving up a computation in progress", file=sys.stderr, flush=True)
        os._exit(status)  # a thread inside torch can neither be ended nor outlive the interpreter
    node.destroy_node()
    rclpy.try_shutdown()
    return status


def main() -> None:
    """Entry point of `depth_node`."""
    sys.exit(run())


if __name__ == "__main__":
    main()
