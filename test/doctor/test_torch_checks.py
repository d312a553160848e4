# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from depthpro_ros.doctor.finding import Level
from depthpro_ros.doctor.memory_checks import available_memory_gb, check_gpu_memory, check_host_memory
from depthpro_ros.doctor.outside import Answer
from depthpro_ros.doctor.torch_checks import Driver, check_gpu, check_torch, has_kernels, parse_driver
from depthpro_ros.doctor.torch_facts import FACTS, Gpu, TorchFacts

NVIDIA_SMI = """\
Sat Jan  4 10:00:00 2025
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 550.54.15              Driver Version: 550.54.15      CUDA Version: 12.4     |
|-----------------------------------------+------------------------+----------------------+
"""
DRIVER = Driver("550.54.15", (12, 4))
H100 = Gpu("NVIDIA H100", (9, 0), 85.0)
ON_GPU = TorchFacts("2.6.0", "12.4", True, ("sm_80", "sm_90"), (H100,), 80.0)
ON_CPU = TorchFacts("2.6.0+cpu", None, False, (), (), None)


def answer(version: str, cuda: str | None = None) -> Answer:
    return Answer({"version": version, "cuda": cuda, "available": False, "architectures": [], "gpus": [], "free": None})


def test_the_driver_is_read_from_the_head_of_nvidia_smi() -> None:
    assert parse_driver(NVIDIA_SMI) == DRIVER
    assert parse_driver("something else") == Driver("", None)


@pytest.mark.parametrize(
    ("given", "level", "found"),
    [
        (answer("2.6.0+cpu"), Level.OK, "for the CPU only"),
        (answer("2.10.1", "13.0"), Level.OK, "built for CUDA 13.0"),
        (answer("2.3.1"), Level.PROBLEM, "2.3.1"),
        (Answer(failure="No module", missing=True), Level.PROBLEM, "not installed"),
        (Answer(failure="OSError: libcudart.so"), Level.PROBLEM, "libcudart"),
    ],
)
def test_torch(given: Answer, level: Level, found: str) -> None:
    finding = check_torch(given)
    assert finding.level is level and found in finding.found


@pytest.mark.parametrize(
    ("facts", "driver", "level", "said"),
    [
        (ON_GPU, DRIVER, Level.OK, "NVIDIA H100, 85.0 GB, 80.0 GB free"),
        (ON_CPU, None, Level.WARNING, "none"),
        (ON_CPU, DRIVER, Level.PROBLEM, "driver 550.54.15, but this torch is for the CPU only"),
        (ON_GPU, Driver("", None, failure="Failed to initialize NVML"), Level.PROBLEM, "Failed to initialize NVML"),
        (
            TorchFacts("2.10.0", "13.0", False, (), (), None),
            DRIVER,
            Level.PROBLEM,
            "built for CUDA 13.0, driver 550.54.15 runs CUDA up to 12.4",
        ),
        (TorchFacts("2.6.0", "12.4", False, (), (), None), DRIVER, Level.PROBLEM, "no device"),
        (
            dataclasses.replace(ON_GPU, gpus=(Gpu("GTX 1080", (6, 1), 8.5),)),
            DRIVER,
            Level.PROBLEM,
            "not for its sm_61",
        ),
    ],
)
def test_gpu(facts: TorchFacts, driver: Driver | None, level: Level, said: str) -> None:
    finding = check_gpu(facts, driver)
    assert finding.level is level and said in finding.found
    assert bool(finding.advice) == (level is not Level.OK)


@pytest.mark.parametrize(
    ("capability", "architectures", "runs"),
    [
        ((8, 6), ("sm_80",), True),  # binary code of the same major version
        ((8, 0), ("sm_86",), False),
        ((9, 0), ("sm_80", "sm_86"), False),
        ((12, 0), ("sm_80", "compute_90"), True),  # PTX, compiled by the driver
        ((7, 5), ("compute_80",), False),
        ((9, 0), ("sm_90a",), True),
        ((12, 0), ("sm_120",), True),
    ],
)
def test_kernels_for_a_gpu(capability: tuple[int, int], architectures: tuple[str, ...], runs: bool) -> None:
    assert has_kernels(capability, architectures) is runs


@pytest.mark.parametrize(
    ("free", "model", "level"),
    [
        (8.0, "depth_pro", Level.OK),
        (2.0, "depth_pro", Level.WARNING),
        (1.0, "depth_pro", Level.PROBLEM),
        (1.0, "depth_pro_nano", Level.OK),
    ],
)
def test_gpu_memory(free: float, model: str, level: Level) -> None:
    assert check_gpu_memory(dataclasses.replace(ON_GPU, free_gb=free), model).level is level


def test_host_memory() -> None:
    assert check_host_memory(8.0, "depth_pro").level is Level.OK
    assert check_host_memory(4.0, "depth_pro").level is Level.PROBLEM
    assert check_host_memory(4.0, "depth_pro_nano").level is Level.OK


def test_available_memory_is_in_kibibytes() -> None:
    assert available_memory_gb("MemTotal: 9 kB\nMemAvailable:    2000000 kB\n") == 2.048
    assert available_memory_gb("") is None


def test_this_torch_tells_its_version() -> None:
    facts = TorchFacts.from_json(json.loads(json.dumps(eval(FACTS, {"torch": torch}))))
    assert (facts.version, facts.cuda) == (torch.__version__, torch.version.cuda)
    assert facts.available is torch.cuda.is_available()
