# SPDX-License-Identifier: Apache-2.0
"""The phase that is the same each time, so that its figures can be compared."""

from __future__ import annotations

import dataclasses
import statistics
import time

from depthpro_ros.soak.camera import USUAL
from depthpro_ros.soak.load import ALWAYS
from depthpro_ros.soak.process import Observed
from depthpro_ros.soak.records import Footprint, Rest
from depthpro_ros.soak.rig import Rig

LOOKS = 5
"""How often the process is looked at for one figure."""
FEWEST_IMAGES = 5


def like_phase(rig: Rig, observed: Observed, started_s: float, transport: str, seconds: float) -> Rest:
    """Send one image after the other, each once the one before is answered.

    Args:
        rig: around the node, which is active and has its default parameters.
        observed: the node's process.
        started_s: monotonic time of the soak's beginning.
        transport: of the images.
        seconds: how long, and `FEWEST_IMAGES` at least.

    Raises:
        NoAnswer: an image is not answered.
    """
    rig.listen(ALWAYS)
    before = rig.connect(USUAL)
    got, sent = rig.got[ALWAYS[0]], rig.camera.sent
    cpu_s = observed.footprint().cpu_s
    latencies_ms: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(latencies_ms) < FEWEST_IMAGES:
        began = time.monotonic()
        rig.ask(USUAL, ALWAYS)
        latencies_ms.append((time.monotonic() - began) * 1e3)
    cpu_ms = (observed.footprint().cpu_s - cpu_s) * 1e3 / len(latencies_ms)
    counts = rig.settle().since(before)
    active = _footprint(rig, observed)
    # which leaves what nothing gives back any more; what an active node's heap keeps depends on the phases before
    rig.transition("deactivate")
    rig.transition("cleanup")
    clean = _footprint(rig, observed)
    rig.transition("configure")
    rig.transition("activate")
    return Rest(
        time_s=time.monotonic() - started_s,
        transport=transport,
        footprint=active,
        clean_mib=clean.private_mib,
        latency_ms=statistics.quantiles(latencies_ms, n=4)[0],
        cpu_ms=cpu_ms,
        sent=rig.camera.sent - sent,
        answered=rig.got[ALWAYS[0]] - got,
        counts=counts,
    )


def steady(rig: Rig, seconds: float) -> None:
    """Send the same image again and again, each once the one before is answered, and do nothing else.

    Args:
        rig: around the node.
        seconds: how long.
    """
    rig.listen(ALWAYS)
    rig.connect(USUAL)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rig.ask(USUAL, ALWAYS)


def _footprint(rig: Rig, observed: Observed) -> Footprint:
    """What the process holds while nothing is asked of it."""
    looks = []
    for _ in range(LOOKS):
        rig.spin(0.05)
        looks.append(observed.footprint())
    values = zip(*map(dataclasses.astuple, looks), strict=True)
    # one of those that were seen, so that counts stay whole numbers
    return Footprint(*(statistics.median_low(column) for column in values))
