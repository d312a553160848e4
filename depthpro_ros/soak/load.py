# SPDX-License-Identifier: Apache-2.0
"""The mixed load: phases in an order that a seed decides, each of which leaves the node as it found it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from depthpro_ros.soak.camera import SIZES, USUAL
from depthpro_ros.soak.rig import Rig

ALWAYS = ("depth/image", "depth/points")
"""Outputs that are listened to between the phases."""
USUAL_HZ = 5.0
BURST_S = 1.0
BUFFERS = 4
"""More than the node has of any kind."""
NODE_PARAMETERS: dict[str, str | float | bool] = {
    "diagnostics_period_s": 0.5,
    # longer than by default: on a busy machine an image of another size would be refused for a late CameraInfo
    "camera_info_wait_s": 2.0,
}
"""Parameters of the node while it soaks."""
CHANGES: tuple[tuple[str, Any], ...] = (
    ("max_depth_m", 20.0),
    ("min_depth_m", 0.5),
    ("edge_filter", "all"),
    ("depth_encoding", "16UC1"),
    ("cloud_stride", 3),
    ("cloud_organised", False),
    ("cloud_voxel_m", 0.2),
    ("cloud_far", "shell"),
    ("cloud_max_rate_hz", 2.0),
    ("max_rate_hz", 3.0),
    ("estimate", "always"),
    ("focal_policy", "estimated"),
    ("rectify", True),
    ("jpeg_quality", 40),
    ("png_level", 3),
)
"""Parameters that may be changed while the node runs, and values other than their defaults."""
REFUSED: tuple[tuple[str, Any], ...] = (
    ("min_depth_m", 1000.0),
    ("max_depth_m", -1.0),
    ("edge_filter", "soft"),
    ("cloud_stride", 0),
    ("focal_policy", "fixed"),
    ("device", "cuda:7"),
    ("model", "another"),
)
"""What the node must refuse: out of bounds, no choice, a bad combination, read-only."""
EXPLAINED = (
    r"frame refused: .*(truncated|CameraInfo is for|compressed image)",
    r"Unable to start transition",
)
"""Errors that the load means to bring about, as regular expressions."""

Phase = Callable[[Rig, random.Random, float], None]
"""Makes load for so many seconds."""


def _send_at(rig: Rig, hz: float, seconds: float, send: Callable[[], object]) -> None:
    """Send images at a rate, as far as this machine manages."""
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        send()
        rig.spin(max(0.001, min(end, now + 1 / hz) - time.monotonic()))


def fill(rig: Rig) -> None:
    """Let every buffer of the node see its largest message, so that none grows later.

    The middleware keeps the memory of as many messages of each output as were ever on their way at once, which are
    more the slower a subscriber is, up to what its queue holds: so one is there that takes none.
    """
    from depthpro_ros.node.outputs import TOPICS

    rig.listen(ALWAYS)
    rig.connect(USUAL)
    rig.listen(TOPICS)  # not each of them has something to say
    for size in SIZES:
        for _ in range(BUFFERS):
            rig.show(size, ALWAYS)
    rig.listen(ALWAYS)
    largest = max(SIZES)
    with rig.deaf_listener(largest, sorted(TOPICS)):
        for _ in range(BUFFERS):
            rig.show(largest, ALWAYS)
    _send_at(rig, 30.0, BURST_S, partial(rig.camera.send, largest))


def rates_and_sizes(rig: Rig, choices: random.Random, seconds: float) -> None:
    """All sizes, one after the other, each at another rate."""
    for size in choices.sample(SIZES, len(SIZES)):
        hz = choices.choice((2.0, 5.0, 10.0, 30.0))
        _send_at(rig, hz, seconds / len(SIZES), partial(rig.camera.send, size))


def sizes_mixed(rig: Rig, choices: random.Random, seconds: float) -> None:
    """Another size with every image."""
    _send_at(rig, 10.0, seconds, lambda: rig.camera.send(choices.choice(SIZES)))


def subscribers(rig: Rig, choices: random.Random, seconds: float) -> None:
    """Subscribers of each output come and go, at times all of them."""
    from depthpro_ros.node.outputs import TOPICS

    outputs = sorted(TOPICS)
    turns = max(3, int(seconds))
    for turn in range(turns):
        chosen = () if turn == turns // 2 else choices.sample(outputs, choices.randint(0, len(outputs)))
        rig.listen(outputs if turn == 0 else chosen)
        _send_at(rig, USUAL_HZ, seconds / turns, partial(rig.camera.send, USUAL))


def parameters(rig: Rig, choices: random.Random, seconds: float) -> None:
    """Each parameter is changed, others are refused between them, and in the end all are as they were."""
    from depthpro_ros.node.parameters import TABLE

    defaults = {spec.name: spec.default for spec in TABLE}
    for name, value in choices.sample(CHANGES, len(CHANGES)):
        rig.set(name, value)
        rig.set(*choices.choice(REFUSED), allowed=False)
        _send_at(rig, USUAL_HZ, seconds / len(CHANGES), partial(rig.camera.send, USUAL))
    for name, _ in CHANGES:
        rig.set(name, defaults[name])


def lifecycle(rig: Rig, choices: random.Random, seconds: float) -> None:
    """The node is deactivated or cleaned up, and brought back, while images keep coming."""
    end = time.monotonic() + seconds
    first = True
    while first or time.monotonic() < end:
        first = False
        rig.camera.send(USUAL)
        rig.transition("deactivate")
        rig.camera.send(USUAL)
        if choices.random() < 0.5:
            rig.transition("cleanup")
            rig.transition("activate", allowed=False)
            rig.camera.send(USUAL)
            rig.transition("configure")
        else:
            rig.transition("deactivate", allowed=False)
        rig.transition("activate")
        _send_at(rig, USUAL_HZ, min(1.0, seconds / 2), partial(rig.camera.send, USUAL))


def calibration(rig: Rig, choices: random.Random, seconds: float) -> None:
    """CameraInfo is not there, so that the focal length is estimated; it comes, stops, and comes again."""
    rig.transition("deactivate")  # forgets what came before
    rig.transition("activate")
    # the last part has it, so that the node waits for those of the images of other sizes that follow
    parts = max(4, 2 * int(seconds / 4))
    for part in range(parts):
        calibrated = part % 2 == 1
        _send_at(rig, USUAL_HZ, seconds / parts, partial(rig.camera.send, USUAL, calibrated=calibrated))


def bad_images(rig: Rig, choices: random.Random, seconds: float) -> None:
    """Images that cannot be served, among good ones."""

    def send() -> None:
        rig.camera.send(choices.choice(SIZES), bad=choices.choice(("", "", "truncated", "calibration")))

    _send_at(rig, USUAL_HZ, seconds, send)


PHASES: dict[str, Phase] = {
    "rates and sizes": rates_and_sizes,
    "sizes mixed": sizes_mixed,
    "subscribers": subscribers,
    "parameters": parameters,
    "lifecycle": lifecycle,
    "calibration": calibration,
    "bad images": bad_images,
}
REFUSING = ("bad images", "rates and sizes", "sizes mixed")
"""Phases in which images are refused: bad ones, and those whose CameraInfo is lost just as the size has changed."""
REST, STEADY = "like phase", "steady"
"""The phase that is the same each time, and the last one; see `depthpro_ros.soak.rest`."""


def order(choices: random.Random) -> Sequence[str]:
    """The phases of one round: each once, with the like phase between them."""
    mixed = choices.sample(sorted(PHASES), len(PHASES))
    half = len(mixed) // 2
    return [REST, *mixed[:half], REST, *mixed[half:]]
