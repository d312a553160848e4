# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from depthpro_ros.models.estimator import EstimatorInfo
from depthpro_ros.node.accounting import Statistics
from depthpro_ros.node.diagnostics import Condition, camera_status
from depthpro_ros.node.frame_times import FrameTimes, Rate, percentile


def model(notice: str = "") -> EstimatorInfo:
    return EstimatorInfo("net", "net.pt", 1, "cpu", "float32", notice)


def test_rate_of_even_events() -> None:
    rate = Rate()
    for i in range(50):
        rate.count(i / 10)
    assert rate.hz(4.9) == pytest.approx(10)
    assert rate.hz(4.95) == pytest.approx(10), "it must not sag between two events"
    assert rate.hz(100) == 0


def test_rate_of_nothing_is_zero() -> None:
    rate = Rate()
    assert rate.hz(1) == 0
    rate.count(1)
    assert rate.hz(1) == 0


def test_percentiles() -> None:
    samples = [float(i) for i in range(100)]
    assert percentile(samples, 50) == 50
    assert percentile(samples, 95) == 95
    assert math.isnan(percentile([], 50))


def status(statistics: Statistics, **options: object) -> DiagnosticStatus:
    condition = Condition(**{"state": "active", "model": model()} | options)  # type: ignore[arg-type]
    return camera_status("/depth_pro: depth", statistics, condition)


def test_a_notice_is_a_warning() -> None:
    assert status(Statistics()).level == DiagnosticStatus.OK
    noticed = status(Statistics(), model=model("only rendered scenes"))
    assert noticed.level == DiagnosticStatus.WARN and "only rendered scenes" in noticed.message


def test_an_error_is_shown_once_and_remembered() -> None:
    statistics = Statistics()
    statistics.refuse("step too short")
    first, second = status(statistics), status(statistics)
    assert first.level == DiagnosticStatus.ERROR and "step too short" in first.message
    assert second.level == DiagnosticStatus.OK
    assert {v.key: v.value for v in second.values}["last error"] == "step too short"


def test_a_failure_to_load_is_an_error() -> None:
    failed = status(Statistics(), model=None, failure="no weights")
    assert failed.level == DiagnosticStatus.ERROR and failed.message == "no weights"


def test_counts_and_times() -> None:
    statistics = Statistics()
    for _ in range(3):
        statistics.arrived()
    statistics.replaced()
    statistics.taken()
    statistics.taken()
    times = FrameTimes(
        from_stamp=None,
        from_arrival=20,
        waiting=1,
        decoding=2,
        pairing=0.5,
        model=10,
        after_model=3,
        publishing=3.5,
    )
    statistics.served(times, batch=1)
    statistics.served(times, batch=2)
    statistics.focal(500.25, "camera_info", False)
    values = statistics.values()
    assert values["images in"] == "3" and values["dropped"] == "1" and values["frames out"] == "2"
    assert values["latency from arrival p50 (ms)"] == "20.0"
    assert values["latency from stamp p50 (ms)"] == "nan"
    assert values["beside the model p95 (ms)"] == "10.0"
    stages = ("waiting", "decoding", "pairing", "model", "after the model", "publishing")
    assert [float(values[f"{stage} p95 (ms)"]) for stage in stages] == [1, 2, 0.5, 10, 3, 3.5]
    assert values["batch size"] == "1.50"
    assert values["focal (px)"] == "500.250" and values["focal source"] == "camera_info"
