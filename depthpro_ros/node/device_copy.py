# SPDX-License-Identifier: Apache-2.0
"""Copies from a GPU into the memory of messages, while the GPU computes the next frame."""

from __future__ import annotations

import array
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

logger = logging.getLogger(__name__)


def computed(tensor: Tensor) -> torch.cuda.Event | None:
    """A mark behind the work that has been given to the tensor's GPU; None for a tensor in host memory."""
    if not tensor.is_cuda:
        return None
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(tensor.device))
    return event


class CopyStream:
    """A stream of its own for copies from a GPU, so that they do not queue behind the next frame's network."""

    def __init__(self) -> None:
        self._streams: dict[torch.device, torch.cuda.Stream] = {}

    @contextmanager
    def after(self, mark: torch.cuda.Event | None, device: torch.device) -> Iterator[None]:
        """Copies in this context begin once `mark` is reached; nothing is changed for host memory.

        Args:
            mark: from `computed`.
            device: that it was made on.
        """
        if mark is None:
            yield
            return
        stream = self._streams.get(device)
        if stream is None:
            stream = self._streams[device] = torch.cuda.Stream(device)
        with torch.cuda.stream(stream):
            stream.wait_event(mark)
            yield
            # the tensors go back to the allocator, which knows nothing of this stream
            stream.synchronize()


class PageLock:
    """Keeps the memory of one message page-locked: then a GPU writes into it directly.

    Memory is locked the second time it is used, since that takes as long as several copies: a message whose size
    changes from frame to frame is left alone.
    """

    def __init__(self) -> None:
        self._data: array.array[int] | None = None
        # the export of the buffer keeps the array from being freed or resized while CUDA knows its address
        self._locked: np.ndarray | None = None

    def hold(self, data: array.array[int], device: torch.device) -> None:
        """The memory that the next frame will be copied into; what was held before is released if it is another.

        Args:
            data: of the message.
            device: of the results that are copied into it.
        """
        if data is not self._data:
            self.release()
            self._data = data
        elif self._locked is None and device.type == "cuda" and len(data):
            memory = np.frombuffer(data, np.uint8)
            if _register(memory, device):
                self._locked = memory
            else:
                self._locked = memory[:0]  # do not try again

    def release(self) -> None:
        """Unlock the memory; to be called before its message is given up."""
        locked, self._locked, self._data = self._locked, None, None
        if locked is not None and len(locked):
            _failed("cudaHostUnregister", torch.cuda.cudart().cudaHostUnregister(locked.ctypes.data))


def _register(memory: np.ndarray, device: torch.device) -> bool:
    """Page-lock memory; false, and the reason in the log, where that cannot be done."""
    status = torch.cuda.cudart().cudaHostRegister(memory.ctypes.data, memory.nbytes, 0)
    if not _failed("cudaHostRegister", status):
        return True
    try:
        # CUDA keeps the error for whoever asks next, which would be the next frame's first kernel
        torch.zeros(1, device=device)
    except RuntimeError as error:
        logger.debug("cleared: %s", error)
    return False


def _failed(call: str, status: object) -> bool:
    """Log a CUDA status other than success; whether it is one."""
    failed = int(status) != 0  # type: ignore[call-overload]
    if failed:
        logger.debug("%s: CUDA error %s, copies into messages go through a buffer of the driver's", call, status)
    return failed
