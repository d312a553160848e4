# SPDX-License-Identifier: Apache-2.0
"""What happens when memory runs out."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
import torch

from depthpro_ros.models.depth_pro.inference import budget
from depthpro_ros.models.depth_pro.runner import NetworkRunner, is_out_of_memory
from test.models.depth_pro.small import TINY, merged, original
from test.models.depth_pro.small import images as images_for

CPU = torch.device("cpu")


def images(count: int) -> torch.Tensor:
    return images_for(count, TINY)


class Hungry:
    """A merged network that fails like a full device, until enough was given up."""

    def __init__(self, fails: int, largest_batch: int = 99, error: BaseException | None = None) -> None:
        self.inside = merged(original(TINY))
        self._error = error or torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 302.00 MiB.")
        self.passes: list[int] = []
        self._fails, self._largest = fails, largest_batch

    def __getattr__(self, name: str):
        return getattr(self.inside, name)

    def __call__(self, image, want_fov):
        self.passes.append(len(image))
        if len(self.passes) <= self._fails or len(image) > self._largest:
            raise self._error
        return self.inside(image, want_fov)


def test_the_frame_is_served_with_the_low_setting(caplog: pytest.LogCaptureFixture) -> None:
    network = Hungry(fails=1)
    runner = NetworkRunner(network, "auto", "eager")
    rgb = images(2)
    with torch.inference_mode(), caplog.at_level(logging.WARNING):
        expected = merged(original(TINY))(rgb)
        canonical, fov = runner(rgb, True)
        runner(rgb, True)
    torch.testing.assert_close(canonical, expected[0], rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(fov, expected[1], rtol=1e-10, atol=1e-10)
    assert runner.memory == "low"
    assert network.passes == [2, 2, 2]
    assert "302.00 MiB" in caplog.text and "low memory setting" in caplog.text


def test_the_frame_is_served_after_an_error_that_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    network = Hungry(fails=1, error=MemoryError())
    with torch.inference_mode(), caplog.at_level(logging.WARNING):
        NetworkRunner(network, "auto", "eager")(images(1), False)
    assert network.passes == [1, 1] and "out of memory (MemoryError)" in caplog.text


def test_a_batch_that_is_too_large_is_served_one_by_one() -> None:
    network = Hungry(fails=0, largest_batch=1)
    runner = NetworkRunner(network, "auto", "eager")
    rgb = images(3)
    with torch.inference_mode():
        expected, expected_fov = merged(original(TINY))(rgb, [1])
        canonical, fov = runner(rgb, [1])
    torch.testing.assert_close(canonical, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(fov, expected_fov, rtol=1e-10, atol=1e-10)
    assert network.passes == [3, 3, 1, 1, 1]


def test_one_image_that_does_not_fit_is_said() -> None:
    with pytest.raises(torch.cuda.OutOfMemoryError, match="302"):
        NetworkRunner(Hungry(fails=9), "auto", "eager")(images(1), False)


def test_other_errors_are_not_taken_for_it() -> None:
    assert not is_out_of_memory(RuntimeError("shape '[3]' is invalid"))
    network = merged(original(TINY))
    runner = NetworkRunner(network, "auto", "eager")
    with pytest.raises(RuntimeError, match="shape"):
        runner(torch.zeros(1, 5, 128, 128, dtype=torch.float64), False)
    assert runner.memory == "auto"


def test_the_setting_chooses_the_budget() -> None:
    network = merged(original(TINY))
    NetworkRunner(network, "low", "eager")
    assert network.budget == budget("low", CPU)


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space, which only Linux enforces")
def test_real_host_memory_runs_out() -> None:
    """A process that may not have the memory for its strips in the usual setting serves the frame all the same."""
    code = """
import resource, torch
from dataclasses import replace
from depthpro_ros.models.depth_pro.runner import NetworkRunner
from test.models.depth_pro.small import SMALL, images, merged, original
torch.set_num_threads(1)
config = replace(SMALL, decoder_dim=104, latent_dims=(104, 12), window_px=128)
runner = NetworkRunner(merged(original(config, torch.float32)), "auto", "eager")
rgb = images(1, config).float()
with torch.inference_mode():
    # what a process takes once, whatever it computes
    merged(original(dtype=torch.float32))(images(1).float(), False)
    # one map of the finest level is 109 MB, and three are alive; a strip of the low setting is 40 MB
    limit = int(open("/proc/self/statm").read().split()[0]) * 4096 + 320_000_000
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    canonical, _ = runner(rgb, False)
print(runner.memory, canonical.shape[-1], bool(canonical.isfinite().all()))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.stdout.split() == ["low", "1024", "True"], result.stderr


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
class TestCuda:
    def test_recorded_graphs_equal_eager(self) -> None:
        network = merged(original(TINY, torch.float32)).cuda()
        rgb = images(2).float().cuda()
        with torch.inference_mode():
            expected = [network(rgb[:n], fov) for n, fov in ((1, False), (1, True), (2, [1]))]
            runner = NetworkRunner(network, "auto", "graphs")
            for _ in range(2):
                for (n, fov), (canonical, fov_deg) in zip(((1, False), (1, True), (2, [1])), expected, strict=True):
                    got, got_fov = runner(rgb[:n], fov)
                    torch.testing.assert_close(got, canonical, rtol=1e-3, atol=1e-3)
                    if fov_deg is not None:
                        torch.testing.assert_close(got_fov, fov_deg, rtol=1e-3, atol=1e-3)

    def test_low_keeps_the_fov_weights_in_host_memory(self) -> None:
        network = merged(original(TINY, torch.float32)).cuda()
        runner = NetworkRunner(network, "low", "auto")
        with torch.inference_mode():
            _, fov = runner(images(1).float().cuda(), True)
        assert fov is not None and fov.isfinite().all()
        assert network.fov is not None and network.fov.project.weight.device.type == "cpu"
