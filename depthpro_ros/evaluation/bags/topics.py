# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording are the image, its calibration and its ground truth: by type, encoding and namespace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from depthpro_ros.bag_messages import IMAGE, is_rectified, sibling_info_topic
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.presets import PRESETS, Preset, TruthKind, find_preset, present
from depthpro_ros.evaluation.bags.topic_info import TopicInfo

ALIGNED_WORDS = ("aligned", "registered")
NOT_COLOUR_WORDS = ("infra", "/ir", "fisheye", "disparity", "confidence", "mask", "semantic")


@dataclass(frozen=True)
class Choice:
    """The topics that are used, and why.

    Attributes:
        image: colour image.
        camera_info: its calibration; None if there is none.
        truth: depth image or cloud; None if there is none.
        truth_kind: what that is; None likewise.
        truth_info: calibration of the depth image; None where it is the colour image's or not needed.
        units: topic with metres per depth value; None where the encoding says it.
        rectified: whether P rather than K is the image's camera.
        reason: how they were found.
    """

    image: str
    camera_info: str | None
    truth: str | None
    truth_kind: TruthKind | None
    truth_info: str | None = None
    units: str | None = None
    rectified: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Wanted:
    """What the user says; None is for us to find."""

    image: str | None = None
    camera_info: str | None = None
    truth: str | None = None
    truth_kind: TruthKind | None = None
    truth_info: str | None = None


def choose_topics(topics: Sequence[TopicInfo], wanted: Wanted | None = None, preset: str | None = None) -> Choice:
    """Find the topics to evaluate.

    What the user says comes first, then the preset (the named one, or the recorder that the names are of), then type,
    encoding and namespace.

    Args:
        topics: those of the recording.
        wanted: what the user says.
        preset: a name of `PRESETS`; None to look which one fits, "none" for none.

    Raises:
        InputError: no image, several that are equally good, or a topic or preset that is not there.
    """
    wanted = wanted or Wanted()
    by_name = {topic.name: topic for topic in topics if topic.count}
    for topic in (wanted.image, wanted.camera_info, wanted.truth, wanted.truth_info):
        if topic is not None and topic not in by_name:
            raise InputError(f"there are no messages on {topic}; there are on {', '.join(by_name) or 'no topic'}")
    recorder = _preset(preset, by_name)
    image = by_name[wanted.image or _of(recorder, "image", by_name) or _find_image(by_name)]
    truth_name = wanted.truth or _of(recorder, "truth", by_name) or _find_truth(by_name, image)
    truth = by_name.get(truth_name or "")
    kind = wanted.truth_kind
    if kind is None and truth is not None:
        known = recorder is not None and truth.name == _of(recorder, "truth", by_name)
        kind = recorder.truth_kind if recorder and known else _truth_kind(truth, image)
    info = wanted.camera_info or _of(recorder, "camera_info", by_name) or _find_info(by_name, image)
    truth_info = wanted.truth_info
    if truth is not None and kind == "depth" and truth_info is None:
        truth_info = _of(recorder, "truth_info", by_name) or _find_info(by_name, truth)
    units = recorder.units if recorder and kind != "cloud" and recorder.units in by_name else None
    how = f"preset {recorder.name}" if recorder else "type, encoding and namespace"
    said = [name for name in ("image", "camera_info", "truth", "truth_kind", "truth_info") if getattr(wanted, name)]
    reason = how + (f"; as told: {', '.join(said)}" if said else "")
    by_preset = recorder is not None and recorder.rectified and image.name == _of(recorder, "image", by_name)
    rectified = by_preset or is_rectified(image.name)
    return Choice(image.name, info, truth.name if truth else None, kind, truth_info, units, rectified, reason)


def choose_depth(topics: Sequence[TopicInfo], wanted: str | None = None) -> str:
    """The topic of a recorded prediction.

    Raises:
        InputError: no depth image, several, or not the one that was asked for.
    """
    found = [topic.name for topic in topics if topic.kind == "depth" and topic.count]
    if wanted is not None:
        if wanted not in found:
            raise InputError(f"there are no depth images on {wanted}; there are on {', '.join(found) or 'no topic'}")
        return wanted
    # of one stream's transports, the plain one
    plain = [name for name in found if name.removesuffix("/compressedDepth") == name or name[:-16] not in found]
    if len(plain) != 1:
        raise InputError(f"{len(plain)} topics have depth images ({', '.join(plain) or 'none'}): name the one to score")
    return plain[0]


def topic_table(topics: Sequence[TopicInfo], choice: Choice | None = None) -> str:
    """Topics as text, with what each is used for."""
    uses: dict[str | None, str] = {}
    if choice is not None:
        uses = {
            choice.units: "depth units",
            choice.truth_info: "truth's camera_info",
            choice.truth: f"truth ({choice.truth_kind})",
            choice.camera_info: "camera_info",
            choice.image: "image",
        }
    rows = [("topic", "type", "messages", "encoding", "size", "frame", "used as")]
    rows += [
        (
            topic.name,
            topic.type.replace("/msg/", "/"),
            str(topic.count),
            topic.encoding,
            f"{topic.width}x{topic.height}" if topic.width else "",
            topic.frame_id,
            uses.get(topic.name, ""),
        )
        for topic in topics
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _preset(name: str | None, topics: dict[str, TopicInfo]) -> Preset | None:
    if name is None:
        return find_preset(topics)
    if name == "none":
        return None
    if name not in PRESETS:
        raise InputError(f"there is no preset {name!r}; there are {', '.join(PRESETS)}, none")
    if present(PRESETS[name].image, topics) is None:
        raise InputError(f"preset {name} expects images on {' or '.join(PRESETS[name].image)}, which has none")
    return PRESETS[name]


def _of(
    preset: Preset | None, role: Literal["image", "camera_info", "truth", "truth_info"], topics: dict[str, TopicInfo]
) -> str | None:
    return present(getattr(preset, role), topics) if preset else None


def _find_image(topics: dict[str, TopicInfo]) -> str:
    depths = [topic.name for topic in topics.values() if topic.kind == "depth"]
    images = [topic for topic in topics.values() if topic.kind == "colour"]
    if not images:
        raise InputError(f"there are no colour images; topics are {', '.join(topics) or 'none'}")

    def merits(topic: TopicInfo) -> tuple[int, ...]:
        name = topic.name.lower()
        return (
            not any(word in name for word in NOT_COLOUR_WORDS),
            sibling_info_topic(topic.name) in topics,
            not topic.encoding.startswith("mono"),
            max((_shared(topic.name, depth) for depth in depths), default=0),
            "rect" in name,
            # of one stream's transports, the one without loss
            topic.type == IMAGE,
            "right" not in name,
        )

    best = max(merits(topic) for topic in images)
    equal = [topic.name for topic in images if merits(topic) == best]
    if len(equal) > 1:
        raise InputError(f"{len(equal)} topics may be the image: {', '.join(equal)}; name one of them")
    return equal[0]


def _find_truth(topics: dict[str, TopicInfo], image: TopicInfo) -> str | None:
    """A depth image rather than a cloud, and one of the image's own pixels rather than another."""
    depths = [topic for topic in topics.values() if topic.kind == "depth"]
    clouds = [topic for topic in topics.values() if topic.kind == "cloud"]
    candidates = depths or clouds
    if not candidates:
        return None

    def merits(topic: TopicInfo) -> tuple[int, ...]:
        return (
            _truth_kind(topic, image) == "registered",
            _shared(topic.name, image.name),
            topic.type == IMAGE,
        )

    best = max(merits(topic) for topic in candidates)
    equal = [topic.name for topic in candidates if merits(topic) == best]
    if len(equal) > 1:
        raise InputError(f"{len(equal)} topics may be the ground truth: {', '.join(equal)}; name one of them")
    return equal[0]


def _truth_kind(truth: TopicInfo, image: TopicInfo) -> TruthKind:
    if truth.kind == "cloud":
        return "cloud"
    # a compressed image does not say its size before it is decoded
    sizes = {(t.width, t.height) for t in (truth, image) if t.width}
    aligned = any(word in truth.name.lower() for word in ALIGNED_WORDS)
    return "registered" if len(sizes) < 2 and (truth.frame_id == image.frame_id or aligned) else "depth"


def _find_info(topics: dict[str, TopicInfo], image: TopicInfo) -> str | None:
    """The sibling, else the only one of the same frame."""
    sibling = sibling_info_topic(image.name)
    if sibling in topics and topics[sibling].kind == "camera_info":
        return sibling
    same = [t.name for t in topics.values() if t.kind == "camera_info" and t.frame_id == image.frame_id]
    return same[0] if len(same) == 1 else None


def _shared(first: str, second: str) -> int:
    """How many names of their namespaces two topics share."""
    pairs = zip(first.split("/")[1:-1], second.split("/")[1:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
