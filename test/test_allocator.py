# SPDX-License-Identifier: Apache-2.0
"""What malloc does with freed memory, each time in a process of its own."""

from __future__ import annotations

import platform
import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc can be told")

RESIDENT = """
import ctypes, re, threading
from depthpro_ros import allocator
def resident_mib():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read()).group(1)) / 1024
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
libc.malloc.argtypes = [ctypes.c_size_t]
def use_and_free(mib):
    block = libc.malloc(mib << 20)
    ctypes.memset(block, 1, mib << 20)
    libc.free(block)
"""


def values(script: str) -> list[float]:
    """The numbers that a script prints."""
    done = subprocess.run([sys.executable, "-c", RESIDENT + script], capture_output=True, text=True, check=True)
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", done.stdout)]


def test_freed_memory_is_kept_until_it_is_given_back() -> None:
    before, kept, given_back, not_kept = values("""
print(resident_mib())
allocator.keep_freed_memory()
use_and_free(40)
print(resident_mib())
allocator.keep_no_freed_memory()
print(resident_mib())
use_and_free(40)
print(resident_mib())
""")
    assert kept > before + 35
    assert given_back < before + 5
    assert not_kept < before + 5


@pytest.mark.parametrize(("shared", "most"), [(True, 30), (False, None)])
def test_threads_use_what_others_have_freed(shared: bool, most: int | None) -> None:
    (grown,) = values(f"""
{"allocator.share_one_heap()" if shared else ""}
allocator.keep_freed_memory()
begin = resident_mib()
barrier = threading.Barrier(3)
def work():
    barrier.wait()  # as many threads as there are, so that none takes over the heap of one that has ended
    with lock:
        use_and_free(20)
    barrier.wait()
lock = threading.Lock()
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(resident_mib() - begin)
""")
    if most is None:
        assert grown > 35, "glibc's threads share what they have freed: `share_one_heap` is of no use any more"
    else:
        assert grown < most
