# SPDX-License-Identifier: Apache-2.0
"""What an image becomes on its way through the node."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sensor_msgs.msg import CompressedImage, Image

from depthpro_ros.node.compressed import Encodings
from depthpro_ros.node.writers import Writers
from depthpro_ros.pipeline import DepthFrame, Prepared


@dataclass(frozen=True)
class Arrival:
    """An image and when it came.

    Attributes:
        message: as it was received.
        time_s: monotonic.
    """

    message: Image | CompressedImage
    time_s: float


@dataclass(frozen=True)
class BegunFrame:
    """A frame that waits for the network.

    Attributes:
        arrival: its image.
        prepared: what the network needs.
        subscribed: the outputs that are wanted.
        encodings: of the depth images.
        waiting_ms, decoding_ms, pairing_ms: see `FrameTimes`.
    """

    arrival: Arrival
    prepared: Prepared
    subscribed: frozenset[str]
    encodings: Encodings
    waiting_ms: float
    decoding_ms: float
    pairing_ms: float


@dataclass(frozen=True)
class FinishedFrame:
    """A frame that waits to be published.

    Attributes:
        begun: what it was before.
        depth: the results, perhaps not yet computed: on a GPU only after `mark`.
        mark: see `depthpro_ros.node.device_copy.computed`.
        writers: the messages to use.
        focal_locked: whether the focal length is held.
        batch: how many images went through the network together.
        after_model_ms: see `FrameTimes`.
        time_s: monotonic, when it was finished.
    """

    begun: BegunFrame
    depth: DepthFrame
    mark: torch.cuda.Event | None
    writers: Writers
    focal_locked: bool
    batch: int
    after_model_ms: float
    time_s: float
