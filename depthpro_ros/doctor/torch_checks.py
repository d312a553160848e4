# SPDX-License-Identifier: Apache-2.0
"""torch, CUDA, and memory for the model."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.doctor.finding import Finding, ok, problem, warning
from depthpro_ros.doctor.memory_checks import available_memory_gb, check_gpu_memory, check_host_memory
from depthpro_ros.doctor.outside import Answer
from depthpro_ros.doctor.torch_facts import TorchFacts

INSTALL = "choose the command for your driver on https://pytorch.org/get-started/locally"


@dataclass(frozen=True)
class Driver:
    """NVIDIA's driver.

    Attributes:
        version: of the driver; empty if it does not tell.
        cuda: the newest CUDA that it can run, as (major, minor); None if it does not tell.
        failure: why nvidia-smi failed, though there is a GPU; empty if it did not.
    """

    version: str
    cuda: tuple[int, int] | None
    failure: str = ""


def parse_driver(text: str) -> Driver:
    """The driver from the head of what `nvidia-smi` prints."""
    version = re.search(r"Driver Version:\s*([\d.]+)", text)
    cuda = re.search(r"CUDA Version:\s*([\d.]+)", text)
    return Driver(version[1] if version else "", _major_minor(cuda[1]) if cuda else None)


def _major_minor(version: str) -> tuple[int, int] | None:
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else None


def find_driver() -> Driver | None:
    """The driver of this machine; None where there is no NVIDIA GPU."""
    present = Path("/proc/driver/nvidia/version").exists() or Path("/etc/nv_tegra_release").exists()
    try:
        done = subprocess.run(["nvidia-smi"], capture_output=True, text=True, errors="replace", timeout=30)
    except FileNotFoundError:
        return Driver("", None) if present else None
    except (OSError, subprocess.TimeoutExpired) as error:
        return Driver("", None, failure=str(error))
    if done.returncode:
        return Driver("", None, failure=(done.stdout + done.stderr).strip().splitlines()[0][:200])
    return parse_driver(done.stdout)


def check_torch(answer: Answer) -> Finding:
    """Whether torch can be imported, and is new enough.

    Args:
        answer: to `FACTS`.
    """
    if answer.missing:
        return problem("torch", "not installed", f'pip install "torch>=2.4"; with a GPU {INSTALL}')
    if answer.failure:
        return problem("torch", answer.failure, f"install it anew: {INSTALL}")
    facts = TorchFacts.from_json(answer.value)
    found = f"{facts.version}, " + (f"built for CUDA {facts.cuda}" if facts.cuda else "for the CPU only")
    version = _major_minor(facts.version)
    if version and version < (2, 4):
        return problem("torch", found, 'depthpro_ros needs torch 2.4 or newer: pip install -U "torch>=2.4"')
    return ok("torch", found)


def check_gpu(facts: TorchFacts, driver: Driver | None) -> Finding:
    """Whether torch uses the GPU that there is, and if not, why."""
    if driver is None and not facts.gpus:
        return warning(
            "GPU", "none", "Apple's network takes one or two minutes a frame on a CPU; depth_pro_nano is for trying out"
        )
    if driver is not None and driver.failure:
        return problem(
            "GPU", f"nvidia-smi fails: {driver.failure}", "restart after an update of the driver, or install it"
        )
    if facts.cuda is None:
        said = f"driver {driver.version}" if driver and driver.version else "an NVIDIA GPU"
        return problem(
            "GPU", f"{said}, but this torch is for the CPU only", f"{INSTALL}; on a Jetson take NVIDIA's build"
        )
    if not facts.available:
        return problem("GPU", *_unavailable(facts.cuda, driver))
    gpu = facts.gpus[0]
    found = f"{gpu.name}, {gpu.memory_gb:.1f} GB, {facts.free_gb or 0.0:.1f} GB free" + (
        f" (and {len(facts.gpus) - 1} more)" if len(facts.gpus) > 1 else ""
    )
    if facts.architectures and not has_kernels(gpu.capability, facts.architectures):
        wanted = f"sm_{gpu.capability[0]}{gpu.capability[1]}"
        return problem(
            "GPU",
            f"{found}; this torch has kernels for {', '.join(facts.architectures)}, not for its {wanted}",
            "take an older torch for an old GPU, a newer one for a new GPU",
        )
    return ok("GPU", found)


def _unavailable(cuda: str, driver: Driver | None) -> tuple[str, str]:
    newest, wanted = driver.cuda if driver else None, _major_minor(cuda)
    if newest and wanted and wanted[0] > newest[0]:
        said = f"driver {driver.version}" if driver else "the driver"
        return (
            f"torch was built for CUDA {cuda}, {said} runs CUDA up to {newest[0]}.{newest[1]}",
            f"update the driver, or install torch for CUDA {newest[0]}: {INSTALL}",
        )
    return (
        f"torch was built for CUDA {cuda} but finds no device it can use",
        "see whether CUDA_VISIBLE_DEVICES hides it, and in a container whether it runs with --gpus all; "
        "after an update of the driver restart",
    )


def has_kernels(capability: tuple[int, int], architectures: tuple[str, ...]) -> bool:
    """Whether a build of torch runs on a GPU.

    Binary code (sm_XY) runs on GPUs of the same major version from that minor version on, PTX (compute_XY) on all
    later ones: CUDA C++ Programming Guide, "Application Compatibility".
    """
    for architecture in architectures:
        kind, _, number = architecture.partition("_")
        digits = re.match(r"\d+", number)
        if digits is None:
            continue
        major, minor = divmod(int(digits[0]), 10)
        if kind == "sm" and major == capability[0] and minor <= capability[1]:
            return True
        if kind == "compute" and (major, minor) <= capability:
            return True
    return False


def check_all(answer: Answer, model: str) -> list[Finding]:
    """All of this file, on this machine.

    Args:
        answer: from `look`.
        model: name of the one that would be used.
    """
    findings = [check_torch(answer)]
    if answer.failure:
        return findings
    facts = TorchFacts.from_json(answer.value)
    findings.append(check_gpu(facts, find_driver()))
    if facts.gpus:
        return [*findings, check_gpu_memory(facts, model)]
    meminfo = Path("/proc/meminfo")
    available = available_memory_gb(meminfo.read_text()) if meminfo.exists() else None
    return findings if available is None else [*findings, check_host_memory(available, model)]
