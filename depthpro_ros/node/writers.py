# SPDX-License-Identifier: Apache-2.0
"""The memory of a frame's large messages."""

from __future__ import annotations

from depthpro_ros.node import direct
from depthpro_ros.node.device_copy import PageLock
from depthpro_ros.node.messages import CloudWriter, ColourWriter, DepthWriter


class Writers:
    """The large messages of one frame, whose memory later frames use again."""

    def __init__(self) -> None:
        serialised = direct.can_publish_directly()
        self.depth, self.cloud = DepthWriter(serialised=serialised), CloudWriter(serialised=serialised)
        self.relative, self.confidence = DepthWriter(serialised=serialised), DepthWriter(serialised=serialised)
        self.rgb = ColourWriter(serialised=serialised)
        self.depth_lock, self.cloud_lock = PageLock(), PageLock()
        self.relative_lock, self.confidence_lock = PageLock(), PageLock()

    def release(self) -> None:
        """Let go of the messages' memory as far as the GPU's driver knows of it."""
        for lock in (self.depth_lock, self.cloud_lock, self.relative_lock, self.confidence_lock):
            lock.release()
