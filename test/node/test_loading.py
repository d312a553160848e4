# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from depthpro_ros.errors import InputError, WeightsError
from depthpro_ros.models.estimator import EstimatorInfo
from depthpro_ros.models.referenced import ReferencedEstimator
from depthpro_ros.node.loading import ModelLoader
from depthpro_ros.node.parameters import Settings

METRIC = EstimatorInfo("metric", "", 0, "cpu", "float32")
UP_TO_SCALE = replace(METRIC, name="relative", metric=False)


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
        return SimpleNamespace(info=METRIC, warm_up=self.warmed_up_for.append)


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
    bare = SimpleNamespace(info=METRIC)
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


class TestScale:
    @staticmethod
    def fetch(settings: Settings) -> tuple[Any, list[tuple[str, dict[str, Any]]], str]:
        """What is loaded where a model named metric is metric and any other up to scale; what was asked, and said."""
        asked: list[tuple[str, dict[str, Any]]] = []

        def load(model: str, **options: Any) -> Any:
            asked.append((model, options))
            return SimpleNamespace(info=METRIC if model == "metric" else UP_TO_SCALE)

        model_loader, log = loader(SimpleNamespace(load=load))
        return model_loader.fetch(settings), asked, "\n".join(log.lines)

    def test_a_reference_is_loaded_beside_the_model(self) -> None:
        settings = Settings(
            model="nano", scale_source="depth_pro", scale_reference="metric", decoding="sampled", precision="bfloat16"
        )
        estimator, asked, _ = self.fetch(settings)
        assert isinstance(estimator, ReferencedEstimator) and estimator.reference == METRIC
        (model, of_model), (reference, of_reference) = asked
        assert (model, reference) == ("nano", "metric")
        assert of_model["decoding"] == "sampled" and "decoding" not in of_reference
        assert of_model["precision"] == of_reference["precision"] == "bfloat16"

    @pytest.mark.parametrize("source", ["depth_pro", "assumed"])
    def test_a_metric_model_needs_none(self, source: str) -> None:
        with pytest.raises(InputError, match="up to scale, and this one's is in metres"):
            self.fetch(Settings(model="metric", scale_source=source, assumed_d98_m=5.0))

    def test_a_reference_must_be_metric(self) -> None:
        with pytest.raises(InputError, match="up to scale too"):
            self.fetch(Settings(model="nano", scale_source="depth_pro", scale_reference="another"))

    def test_what_the_depth_is_worth_is_said(self) -> None:
        assert "only depth/relative" in self.fetch(Settings(model="nano"))[2]
        assert "NOT metric" in self.fetch(Settings(model="nano", scale_source="assumed", assumed_d98_m=5.0))[2]
        assert "scale" not in self.fetch(Settings(model="metric"))[2]

    def test_ranges_need_a_known_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("depthpro_ros.node.mounting.tf_is_installed", lambda: False)
        with pytest.raises(InputError, match="tf2_ros is not installed"):
            self.fetch(Settings(model="nano", ranges_type="laser_scan"))
        place = (0.0, 0.0, 0.0, 0.5, -0.5, 0.5, 0.5)
        assert "by ranges" in self.fetch(Settings(model="nano", ranges_type="laser_scan", ranges_extrinsics=place))[2]
