# SPDX-License-Identifier: Apache-2.0
"""Notices that images of one topic come from more than one camera."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

from std_msgs.msg import Header

from depthpro_ros.node.pairing import stamp_ns

KEPT = 30
"""So many images are looked at."""
ENOUGH = 3
"""So many returns among them are no accident; a recording that loops has one in each loop."""


class SourceWatch:
    """Looks at the headers of the images of one topic, in the order of their arrival."""

    def __init__(self) -> None:
        self._frame_ids: deque[str] = deque(maxlen=KEPT)
        self._stamps: deque[int] = deque(maxlen=KEPT)

    def seen(self, header: Header) -> str:
        """Note an image; what to tell the user, empty if all is well."""
        self._frame_ids.append(header.frame_id)
        self._stamps.append(stamp_ns(header))
        names = list(self._frame_ids)
        changes = sum(a != b for a, b in pairwise(names))
        # one change for each name is a camera that was exchanged
        if changes - (len(set(names)) - 1) >= ENOUGH:
            turns = ", ".join(map(repr, sorted(set(names))))
            return f"images of frames {turns} come in turns: two cameras share the topic"
        stamps = list(self._stamps)
        if sum(b < a for a, b in pairwise(stamps)) >= ENOUGH:
            return "the images' stamps go back again and again: two cameras, or two recordings, share the topic"
        return ""
