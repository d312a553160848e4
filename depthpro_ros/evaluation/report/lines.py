# SPDX-License-Identifier: Apache-2.0
"""The parts of a report as lines, the same for the terminal, for markdown and for the web page."""

from __future__ import annotations

import math

from depthpro_ros.evaluation.report.sections import digits, interval
from depthpro_ros.evaluation.results.figures import figure, shown
from depthpro_ros.evaluation.results.summary import Summary


def live_lines(summary: Summary) -> list[str]:
    """What a replay into the node came to; empty unless there was one."""
    live = summary.live
    if live is None:
        return []
    how = f"real time, rate {live.rate:g}" if live.mode == "real_time" else "lock-step"
    lines = [
        f"node ({how}): {live.sent} frames sent, {live.answered} answered, {live.dropped} dropped; "
        f"{digits(live.output_hz, 2)} Hz out"
    ]
    if live.resources:
        cpu = [sample.cpu_percent for sample in live.resources]
        memory = [sample.memory_mb for sample in live.resources]
        lines.append(
            f"process: CPU {sum(cpu) / len(cpu):.0f} % of one core, {max(cpu):.0f} % at most; "
            f"memory {memory[0]:.0f} MB at first, {memory[-1]:.0f} MB at last, {max(memory):.0f} MB at most"
        )
    if live.unscored:
        lines.append(f"{live.unscored} answered frames were not scored: scoring could not keep pace with real time")
    if live.late_ms is not None:
        late = live.late_ms
        lines.append(
            f"images were sent {digits(late.p50, 1)} ms late (50 %), {digits(late.p99, 1)} ms (99 %), "
            f"{digits(late.largest, 1)} ms at most"
        )
    if live.strange_stamps or live.strange_frames:
        lines.append(
            f"{live.strange_stamps} outputs with a stamp that no image had, "
            f"{live.strange_frames} in another coordinate frame than their image"
        )
    return lines


def subject(summary: Summary) -> str:
    """What was evaluated, in a few words."""
    run = summary.run
    scale = "" if summary.metric else ", depth up to scale,"
    return f"{'recorded predictions' if run.model is None else run.model.name}{scale} on {run.kind} {run.source}"


def frames_line(summary: Summary) -> str:
    """How many frames were evaluated, and why others were not."""
    line = f"{summary.evaluated} of {summary.frames} frames evaluated"
    if not summary.skipped:
        return line
    reasons = "; ".join(f"{count} {reason}" for reason, count in sorted(summary.skipped.items(), key=lambda s: -s[1]))
    return f"{line}, {sum(summary.skipped.values())} skipped: {reasons}"


def other_lines(summary: Summary) -> list[str]:
    """What stands below the headline: boundaries, steadiness, focal length."""
    lines = []
    for name in ("boundary_f1", "boundary_recall", "flicker", "opw", "reprojection", "invalid_share"):
        a = summary.figures.get(name)
        if a is not None and not math.isnan(a.mean):
            lines.append(f"{figure(name).title}: {shown(name, a.mean)} ({interval(name, a)})")
    scale = summary.scale
    if scale is not None and scale.frames:
        lines.append(
            f"scale that frames lack: mean {scale.mean:.3f}, spread {_percent(scale.spread)}, "
            f"peak to peak {_percent(scale.peak_to_peak)}, from frame to frame {_percent(scale.jitter)}"
        )
    focal = summary.focal
    if focal is not None:
        lines.append(
            f"estimated / true focal length: {focal.ratio_p50:.3f} "
            f"(5 % of frames below {focal.ratio_p5:.3f}, 5 % above {focal.ratio_p95:.3f}); "
            f"{_percent(focal.within_25)} of frames within 25 %, {_percent(focal.within_50)} within 50 %; "
            f"spread of the estimate {_percent(focal.steadiness.spread)}"
        )
    return lines


def made(summary: Summary) -> list[tuple[str, str]]:
    """How the results were made: what, and its value; what is not known is left out."""
    run, model = summary.run, summary.run.model
    pairs = [
        ("evaluated", f"{run.kind} {run.source}"),
        ("model", "recorded predictions" if model is None else model.name),
        ("depth", "" if summary.metric else "up to scale: figures are after alignment to each frame's ground truth"),
        ("decoding", "" if model is None else model.decoding),
        ("weights SHA-256", "" if model is None else model.weights_sha256),
        ("parameters", f"{model.parameters:,}" if model is not None and model.parameters else ""),
        ("device", "" if model is None else ", ".join(part for part in (model.device, model.precision) if part)),
        ("machine", run.machine),
        ("focal length", run.settings.focal),
        ("alignments", ", ".join(run.settings.alignments)),
        ("mask", run.settings.mask),
        ("invalid predictions", run.settings.invalid),
        ("metrics", ", ".join(run.settings.metrics)),
        ("frames", f"{frames_line(summary)} (asked for: {run.settings.frames})"),
        *run.settings.extra.items(),
        ("topics", ", ".join(f"{use}: {topic}" for use, topic in run.topics.items())),
        ("versions", ", ".join(f"{name} {version}" for name, version in run.versions.items())),
        ("started", run.started),
        ("command", run.command),
        ("settings SHA-256", run.settings.sha256),
    ]
    return [(what, value) for what, value in pairs if value]


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"
