# SPDX-License-Identifier: Apache-2.0
"""Loading the model, on a thread of its own where that is possible."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from rclpy.impl.rcutils_logger import RcutilsLogger

from depthpro_ros.models.estimator import Estimator
from depthpro_ros.models.referenced import ReferencedEstimator
from depthpro_ros.node.mounting import check_mounting
from depthpro_ros.node.parameters import Settings

Load = Callable[..., Estimator]
"""`load_estimator`, or what tests put in its place."""
Wait = Callable[[Callable[[float | None], object]], object]
"""Given a function that waits for at most so many seconds (None: for ever), calls it until it says true."""
SPOKEN_OF_S = 0.1
"""A shorter warm-up is not logged."""


def load_estimator(model: str, **options: object) -> Estimator:
    """See `depthpro_ros.models.load_estimator`, which is imported only now."""
    from depthpro_ros.models import load_estimator

    return load_estimator(model, **options)  # type: ignore[arg-type]


class ModelLoader:
    """Makes the estimator that the settings ask for, and warms it up.

    Args:
        load: `load_estimator`, called with the model and `Settings.load_options`.
        logger: the node's.
    """

    def __init__(self, load: Load, logger: RcutilsLogger) -> None:
        self._load, self._logger = load, logger
        self._coming: Future[Estimator] | None = None

    @property
    def loading(self) -> bool:
        """Whether a model is being loaded aside."""
        return self._coming is not None and not self._coming.done()

    @property
    def begun(self) -> bool:
        """Whether a model was loaded aside, or is, and has not been fetched."""
        return self._coming is not None

    def begin(self, settings: Settings, done: Callable[[], None]) -> None:
        """Load aside; `done` is called, on that thread, when `fetch` will not wait any more."""
        coming = self._coming = Future()

        def run() -> None:
            try:
                coming.set_result(self._loaded(settings))
            except Exception as error:  # raised again where the result is asked for
                coming.set_exception(error)
            done()

        threading.Thread(target=run, name="load", daemon=True).start()

    def fetch(self, settings: Settings, wait: Wait = lambda done: done(None)) -> Estimator:
        """The model that is loaded aside, or else one that is loaded now, aside too.

        Args:
            settings: what to load, where nothing is being loaded.
            wait: for the model; what it raises ends the waiting, but not the loading.

        Raises:
            DepthProError: there is no such model, or it cannot be used; says why.
        """
        if self._coming is None:
            self.begin(settings, lambda: None)
        coming = self._coming
        assert coming is not None
        wait(lambda timeout_s: concurrent.futures.wait([coming], timeout_s).done)
        self._coming = None
        return coming.result()

    def _loaded(self, settings: Settings) -> Estimator:
        self._logger.info(f"loading model {settings.model!r}")
        estimator = self._with_reference(self._load(settings.model, **settings.load_options), settings)
        if settings.approximations:
            self._logger.warning(
                f"the depth is approximate, not that of the network as published: {settings.approximations}; "
                "docs/performance.md has the measured deviation"
            )
        warm_up = getattr(estimator, "warm_up", None)
        if warm_up is not None:
            started = time.monotonic()
            images = max(1, len(settings.cameras))
            warm_up(min(images, settings.max_batch or images))
            if (took_s := time.monotonic() - started) >= SPOKEN_OF_S:
                self._logger.info(f"warmed up in {took_s:.1f} s")
        return estimator

    def _with_reference(self, estimator: Estimator, settings: Settings) -> Estimator:
        """The model, with a metric one beside it where its scale is to come from that; and says what that means.

        Raises:
            InputError: the scale's source is not for such a model.
        """
        source = settings.source(metric=estimator.info.metric)
        name = estimator.info.name
        if source == "ranges":
            check_mounting(settings)
        if source == "depth_pro":
            self._logger.info(f"{name}'s depth is up to scale: loading scale_reference {settings.scale_reference!r}")
            reference = self._load(settings.scale_reference, **settings.reference_load_options)
            return ReferencedEstimator(estimator, reference)
        if source == "assumed":
            self._logger.warning(
                f"{name}'s depth is up to scale, and scaled by a guess (assumed_d98_m, {settings.assumed_d98_m:g}): "
                "depth/image and depth/points are NOT metric, do not navigate by them"
            )
        elif source == "off" and not estimator.info.metric:
            self._logger.info(
                f"{name}'s depth is up to scale: only depth/relative is published, no metres, until scale_source "
                "says where they are to come from"
            )
        elif source == "fixed":
            self._logger.info(f"depth is multiplied by fixed_scale, {settings.fixed_scale:g}")
        elif source != "off":
            self._logger.info(f"depth becomes metres by {source}, and is not published while that gives no scale")
        return estimator
