# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import array

import pytest
import torch

from depthpro_ros.node import device_copy
from depthpro_ros.node.device_copy import CopyStream, PageLock, computed

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


class Driver:
    """What PageLock tells CUDA: addresses and sizes that are locked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, status: int = 0) -> None:
        self.locked: dict[int, int] = {}
        self.calls: list[str] = []
        self.status = status
        monkeypatch.setattr(torch.cuda, "cudart", lambda: self)
        monkeypatch.setattr(device_copy.torch, "zeros", lambda *a, **k: self.calls.append("kernel"))

    def cudaHostRegister(self, address: int, size: int, flags: int) -> int:
        self.calls.append("register")
        if self.status == 0:
            assert address not in self.locked
            self.locked[address] = size
        return self.status

    def cudaHostUnregister(self, address: int) -> int:
        self.calls.append("unregister")
        del self.locked[address]
        return 0


def memory(size: int) -> array.array:
    return array.array("B", bytes(size))


def test_host_memory_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, lock, data = Driver(monkeypatch), PageLock(), memory(10)
    for _ in range(3):
        lock.hold(data, CPU)
    lock.release()
    assert driver.calls == []
    assert computed(torch.ones(1)) is None
    with CopyStream().after(None, CPU):
        pass


def test_memory_that_is_used_again_is_locked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, lock, data = Driver(monkeypatch), PageLock(), memory(10)
    for _ in range(4):
        lock.hold(data, CUDA)
    assert driver.locked == {data.buffer_info()[0]: 10} and driver.calls == ["register"]
    lock.release()
    assert not driver.locked
    lock.release()
    assert driver.calls == ["register", "unregister"]


def test_memory_that_changes_with_every_frame_is_not_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, lock = Driver(monkeypatch), PageLock()
    for size in (10, 11, 12):
        lock.hold(memory(size), CUDA)
    assert driver.calls == []


def test_replaced_memory_is_unlocked_before_it_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, lock, old, new = Driver(monkeypatch), PageLock(), memory(10), memory(20)
    lock.hold(old, CUDA)
    lock.hold(old, CUDA)
    with pytest.raises(BufferError):
        old.append(1)  # it would move
    lock.hold(new, CUDA)
    assert driver.calls == ["register", "unregister"]
    lock.hold(new, CUDA)
    assert driver.locked == {new.buffer_info()[0]: 20}


def test_a_refusal_is_cleared_and_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, lock, data = Driver(monkeypatch, status=712), PageLock(), memory(10)
    for _ in range(3):
        lock.hold(data, CUDA)
    lock.release()
    # the kernel takes the error that CUDA keeps
    assert driver.calls == ["register", "kernel"]


@pytest.mark.gpu
@needs_gpu
def test_copies_into_locked_memory_arrive_beside_other_work() -> None:
    data, lock, copies = memory(4 * 1000), PageLock(), CopyStream()
    lock.hold(data, CUDA)
    lock.hold(data, CUDA)
    target = torch.frombuffer(data, dtype=torch.float32)
    assert target.is_pinned()
    big = torch.randn(4096, 4096, device=CUDA)
    for number in range(3):
        source = torch.full((1000,), float(number), device=CUDA)
        mark = computed(source)
        for _ in range(20):
            big @ big
        with copies.after(mark, CUDA):
            target.copy_(source)
        assert target.tolist() == [float(number)] * 1000
    torch.cuda.synchronize()
    lock.release()
    assert not target.is_pinned()


@pytest.mark.gpu
@needs_gpu
def test_memory_that_cannot_be_locked_twice_leaves_cuda_working() -> None:
    data, first, second = memory(10000), PageLock(), PageLock()
    for lock in (first, second):
        lock.hold(data, CUDA)
        lock.hold(data, CUDA)
    assert (torch.ones(10, device=CUDA) * 2).sum().item() == 20
    second.release()
    first.release()
