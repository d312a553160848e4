# SPDX-License-Identifier: Apache-2.0
"""Fast DDS's profile and its shared memory: what large images travel through between processes."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.doctor.finding import Finding, ok, problem, warning
from depthpro_ros.fast_dds import profile_variables

FOLDER = Path("/dev/shm")
DEFAULT_SEGMENT = 512 * 1024
"""Bytes of shared memory that Fast DDS gives a process without a profile."""
SEGMENT_NAME = re.compile(r"(fastdds|fastrtps)_[0-9a-f]{16}")
PROCESSES = 4
"""That want a segment at a time: a driver, the node, and two consumers."""
MIB = 2**20


@dataclass(frozen=True)
class Room:
    """Shared memory of this machine.

    Attributes:
        total, free: bytes.
        left_over: segments whose process is gone.
        left_over_bytes: their size.
    """

    total: int
    free: int
    left_over: int
    left_over_bytes: int


def profile_file(environment: Mapping[str, str]) -> str:
    """The profile that Fast DDS of this distribution reads; empty for none."""
    return next((environment[n] for n in profile_variables(environment) if environment.get(n)), "")


def segment_size(profile: Path) -> int:
    """Bytes of the largest shared-memory segment that a profile asks for; the default where it names none.

    Raises:
        OSError: it cannot be read.
        ElementTree.ParseError: it is not XML.
        ValueError: a size is no number.
    """
    root = ElementTree.parse(profile).getroot()
    sizes = [int(node.text or "") for node in root.iter() if node.tag.rpartition("}")[2] == "segment_size"]
    return max(sizes, default=DEFAULT_SEGMENT)


def check_profile(environment: Mapping[str, str], message_bytes: int, shipped: str = "") -> Finding:
    """Whether messages find room in the writer's shared memory.

    Args:
        environment: variables.
        message_bytes: size of the largest message.
        shipped: the package's own profile; empty where it was not found.
    """
    named = profile_file(environment)
    message = f"a message of {message_bytes / 1e6:.1f} MB"
    if not named:
        variable = profile_variables(environment)[0]
        return warning(
            "Fast DDS profile",
            f"none: what is larger than {DEFAULT_SEGMENT // 1024} KB, such as {message}, goes over UDP, of which "
            "best-effort readers lose nearly all. depth.launch.py sets one for the node alone",
            f"for the camera driver and for consumers, too: export {variable}={shipped or '.../config/fastdds.xml'}",
        )
    try:
        size = segment_size(Path(named))
    except (OSError, ValueError, ElementTree.ParseError) as error:
        advice = "correct the file, or unset the variable"
        return problem("Fast DDS profile", f"{named} cannot be read: {error}", advice)
    found = f"{named}: segments of {size / MIB:.1f} MiB, {message}"
    if size < message_bytes:
        advice = "larger messages go over UDP: raise segment_size to three of the largest messages"
        return warning("Fast DDS profile", found, advice)
    return ok("Fast DDS profile", found)


def segment_in_use(environment: Mapping[str, str]) -> int:
    """Bytes of a process's segment in this environment; the default where the profile cannot be read."""
    named = profile_file(environment)
    try:
        return segment_size(Path(named)) if named else DEFAULT_SEGMENT
    except (OSError, ValueError, ElementTree.ParseError):
        return DEFAULT_SEGMENT


def look(folder: Path = FOLDER) -> Room | None:
    """Shared memory as it is now; None where the system has none.

    Fast DDS locks a file beside each segment for as long as the segment's process lives; who gets that lock knows that
    the process is gone. A shared lock is taken for a moment, which hurts nobody.
    """
    if not folder.is_dir():
        return None
    usage = shutil.disk_usage(folder)
    left, size = 0, 0
    for segment in sorted(folder.iterdir()):
        lock = segment.with_name(f"{segment.name}_el")
        if SEGMENT_NAME.fullmatch(segment.name) and lock.exists() and is_unlocked(lock):
            try:
                size += segment.stat().st_size
            except FileNotFoundError:
                continue  # its process ended just now
            left += 1
    return Room(usage.total, usage.free, left, size)


def is_unlocked(path: Path) -> bool:
    """Whether nobody holds the lock on a file; false where that cannot be told."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False  # gone just now, or another user's
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def check_room(room: Room | None, segment: int) -> Finding:
    """Whether a few processes' segments fit.

    Args:
        room: of this machine.
        segment: bytes of one segment.
    """
    if room is None:
        return warning("shared memory", f"no {FOLDER}", "large messages go over UDP here")
    found = f"{room.free / MIB:.0f} of {room.total / MIB:.0f} MiB are free, a process takes {segment / MIB:.1f} MiB"
    if room.free < segment:
        return problem(
            "shared memory",
            found,
            "Fast DDS falls back to UDP: in a container use --shm-size=1g or --ipc=host, else remount /dev/shm larger",
        )
    if room.free < PROCESSES * segment:
        return warning(
            "shared memory",
            found,
            f"too little for {PROCESSES} processes: in a container use --shm-size=1g or --ipc=host",
        )
    return ok("shared memory", found)


def check_left_over(room: Room) -> Finding:
    """Whether killed processes left segments behind."""
    if not room.left_over:
        return ok("left-over segments", "none")
    found = f"{room.left_over} segments of processes that are gone, {room.left_over_bytes / MIB:.0f} MiB"
    if room.left_over_bytes * 100 > room.total:
        return warning("left-over segments", found, "fastdds shm clean")
    return ok("left-over segments", f"{found}; fastdds shm clean removes them")


def check_all(environment: Mapping[str, str], middleware: str, message_bytes: int) -> list[Finding]:
    """All of this file, on this machine.

    Args:
        environment: variables.
        middleware: that is used; empty if unknown.
        message_bytes: size of the largest message.
    """
    from depthpro_ros.node.network import fast_dds_environment

    if middleware and "fastrtps" not in middleware:
        return [ok("Fast DDS", f"not used: the middleware is {middleware}")]
    room = look()
    findings = [
        check_profile(environment, message_bytes, next(iter(fast_dds_environment().values()), "")),
        check_room(room, segment_in_use(environment)),
    ]
    return findings if room is None else [*findings, check_left_over(room)]
