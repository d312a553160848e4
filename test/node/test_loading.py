# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from depthpro_ros.errors import WeightsError
from depthpro_ros.node.loading import ModelLoader
from depthpro_ros.node.parameters import Settings


class Log:
    """A logger that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str) -> None:
        self.lines.append(text)

    warning = info


class Model:
    """What `load` is asked for, and what it gives."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.warmed_up_for: list[int] = []

    def load(self, model: str, **options: Any) -> Any:
        self.asked.append((model, options))
        return SimpleNamespace(warm_up=self.warmed_up_for.append)


def loader(model: Any) -> tuple[ModelLoader, Log]:
    log = Log()
    return ModelLoader(model.load, log), log  # type: ignore[arg-type]


def test_the_settings_reach_the_model() -> None:
    model = Model()
    settings = Settings(model="depth_pro", memory="low", resolution="half", quantise="int8", reuse_tiles=2.0)
    loader(model)[0].fetch(settings)
    assert model.asked == [
        (
            "depth_pro",
            {
                "device": "auto",
                "precision": "auto",
                "memory": "low",
                "resolution": "half",
                "quantise": "int8",
                "accelerate": "auto",
                "reuse_tiles": 2.0,
            },
        )
    ]


@pytest.mark.parametrize(
    ("cameras", "max_batch", "images"),
    [((), 0, 1), (("a", "b", "c"), 0, 3), (("a", "b", "c"), 2, 2), (("a", "b"), 5, 2)],
)
def test_it_is_warmed_up_for_the_largest_batch(cameras: tuple[str, ...], max_batch: int, images: int) -> None:
    model = Model()
    loader(model)[0].fetch(Settings(cameras=cameras, max_batch=max_batch))
    assert model.warmed_up_for == [images]


def test_a_model_without_warm_up_will_do() -> None:
    bare = object()
    assert loader(SimpleNamespace(load=lambda model, **_: bare))[0].fetch(Settings()) is bare


def test_approximate_depth_is_said() -> None:
    for settings, said in ((Settings(memory="low"), False), (Settings(resolution="two_thirds"), True)):
        model_loader, log = loader(Model())
        model_loader.fetch(settings)
        assert any("the depth is approximate" in line and "resolution two_thirds" in line for line in log.lines) == said


def test_what_was_loaded_aside_is_fetched_once() -> None:
    model, done = Model(), threading.Event()
    model_loader, _ = loader(model)
    model_loader.begin(Settings(), done.set)
    assert done.wait(10) and model_loader.begun and not model_loader.loading
    model_loader.fetch(Settings())
    assert len(model.asked) == 1 and not model_loader.begun


def test_a_failure_aside_is_raised_where_the_model_is_fetched() -> None:
    def fail(model: str, **_: Any) -> Any:
        raise WeightsError("none here")

    model_loader, done = loader(SimpleNamespace(load=fail))[0], threading.Event()
    model_loader.begin(Settings(), done.set)
    assert done.wait(10)
    with pytest.raises(WeightsError, match="none here"):
        model_loader.fetch(Settings())
