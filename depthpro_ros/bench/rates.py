# SPDX-License-Identifier: Apache-2.0
"""Work of known size, from which the rates of a machine follow: matrix products, convolutions, copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from depthpro_ros.bench.timing import SHORT_S, seconds_of
from depthpro_ros.errors import first_line

SQUARE = (4096, 4096, 4096)
MLP = (35 * 577, 1024, 4096)
"""Rows, inner and columns of the largest products of the full network: all tokens of all windows through an MLP."""
CHANNELS, KERNEL, SIDE = 256, 3, 384
"""The convolution of the decoder, on a map half as wide as its largest."""
COPIED_BYTES = 2**28
LONGEST_S = 0.4
"""Of one measurement: where the whole product would take longer, fewer of its rows are measured."""


@dataclass(frozen=True)
class Work:
    """Something to measure the rate of.

    Attributes:
        name: what it is.
        amount: floating-point operations, or bytes.
        action: does it once.
    """

    name: str
    amount: float
    action: Callable[[], object]


class Unsupported(Exception):
    """This device or this torch cannot do it; the text says why."""


FORMATS = ("float32", "TF32", "bfloat16", "float16", "int8", "fp8")


def product(number_format: str, shape: tuple[int, int, int], device: str) -> Work:
    """A matrix product whose inputs are random, as long as it is not too long for this machine.

    Args:
        number_format: one of `FORMATS`; "TF32" is float32 with the GPU's short products.
        shape: rows, inner, columns.
        device: to compute on.

    Raises:
        Unsupported: the device cannot multiply in this format.
    """
    rows, inner, columns = shape
    few = min(rows, 512)
    try:
        probe = _product(number_format, (few, inner, columns), device)
        probe()
        seconds = seconds_of(probe, device)
    except (RuntimeError, AttributeError) as error:
        raise Unsupported(first_line(error)) from error
    # whole sixteens of rows, which fp8 products need
    rows = max(few, min(rows, int(few * LONGEST_S / seconds))) // 16 * 16
    name = f"{number_format}, rows x {inner} x {columns}"
    return Work(name, 2.0 * rows * inner * columns, _product(number_format, (rows, inner, columns), device))


def best_rate(number_format: str, device: str) -> Callable[[], float]:
    """Something that measures the better of the two products' rates, in operations a second.

    Raises:
        Unsupported: see `product`.
    """
    works = [product(number_format, shape, device) for shape in (SQUARE, MLP)]
    repeats = []
    for work in works:
        work.action()
        repeats.append(max(1, round(SHORT_S / seconds_of(work.action, device))))

    def measure() -> float:
        return max(
            work.amount / seconds_of(work.action, device, count) for work, count in zip(works, repeats, strict=True)
        )

    return measure


def convolution(dtype: torch.dtype, device: str) -> Work:
    """A 3x3 convolution of the decoder, channels last.

    Raises:
        Unsupported: the device cannot convolve in this format.
    """
    weight = torch.randn(CHANNELS, CHANNELS, KERNEL, KERNEL, device=device).to(dtype) / 48
    weight = weight.contiguous(memory_format=torch.channels_last)

    def of(rows: int) -> Callable[[], object]:
        image = torch.randn(1, CHANNELS, rows, SIDE, device=device).to(dtype)
        image = image.contiguous(memory_format=torch.channels_last)
        return lambda: F.conv2d(image, weight, padding=1)

    try:
        few = of(16)
        few()
        seconds = seconds_of(few, device)
    except RuntimeError as error:
        raise Unsupported(first_line(error)) from error
    rows = max(16, min(SIDE, int(16 * LONGEST_S / seconds)))
    return Work(f"{dtype} convolution", 2.0 * CHANNELS * CHANNELS * KERNEL**2 * rows * SIDE, of(rows))


def copies(device: str) -> list[Work]:
    """Copies in host memory, and on a GPU in its memory and between both."""
    # ones: memory of zeros that nobody has written to is one and the same page
    host = torch.ones(COPIED_BYTES, dtype=torch.uint8)
    into = torch.ones_like(host)
    works = [Work("host memory, bytes read and written", 2.0 * COPIED_BYTES, lambda: into.copy_(host))]
    if device.startswith("cuda"):
        pinned = host.pin_memory()
        there, elsewhere = host.to(device), host.to(device)
        works += [
            Work("device memory, bytes read and written", 2.0 * COPIED_BYTES, lambda: elsewhere.copy_(there)),
            Work("pinned host to device", float(COPIED_BYTES), lambda: there.copy_(pinned, non_blocking=True)),
            Work("device to pinned host", float(COPIED_BYTES), lambda: pinned.copy_(there, non_blocking=True)),
        ]
    return works


def _product(number_format: str, shape: tuple[int, int, int], device: str) -> Callable[[], object]:
    rows, inner, columns = shape
    left = torch.randn(rows, inner, device=device)
    right = torch.randn(columns, inner, device=device)
    if number_format == "int8":
        a, b = ((m * 32).round().clamp(-127, 127).to(torch.int8) for m in (left, right))
        return lambda: torch._int_mm(a, b.t())
    if number_format == "fp8":
        a, b = left.to(torch.float8_e4m3fn), right.to(torch.float8_e4m3fn)
        one = torch.ones((), device=device)
        return lambda: torch._scaled_mm(a, b.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16)
    if number_format == "TF32":
        return _with_tf32(left, right)
    dtype = getattr(torch, number_format)
    a, b = left.to(dtype), right.to(dtype)
    return lambda: F.linear(a, b)


def _with_tf32(left: torch.Tensor, right: torch.Tensor) -> Callable[[], object]:
    def multiply() -> object:
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("high")
        try:
            return F.linear(left, right)
        finally:
            torch.set_float32_matmul_precision(before)

    return multiply
