# SPDX-License-Identifier: Apache-2.0
"""Scored frames as frames of an output bag."""

from __future__ import annotations

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.output import OutputFrame
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.run.frame_figures import Scored


def output_frame(record: FrameRecord, scored: Scored) -> OutputFrame:
    """A frame with all that a bag shows of it.

    Raises:
        InputError: the frame has no stamp, so that no player could show it in time.
    """
    frame = scored.frame
    if frame.stamp_ns is None:
        raise InputError(f"frame {frame.id} has no stamp: photographs cannot be written to a bag")
    height, width = scored.depth.shape
    camera = scored.predicted.intrinsics
    return OutputFrame(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        depth_m=scored.depth_m,
        intrinsics=None if camera is None else camera.resized(width, height),
        rgb=frame.rgb,
        truth_m=frame.truth_m,
        cloud=scored.predicted.cloud,
        figures=record.figures,
        relative=scored.relative,
    )
