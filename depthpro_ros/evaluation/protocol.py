# SPDX-License-Identifier: Apache-2.0
"""Published tables as files: how each was made, what it says of every system, and what to expect of one's own run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.alignment import AlignmentMode
from depthpro_ros.evaluation.datasets.registry import DATASETS, option_names
from depthpro_ros.yaml_file import read_yaml_file

PROTOCOLS = Path(__file__).parent / "protocols"

MetricName = Literal[
    "delta1",
    "delta1_complement",
    "abs_rel",
    "boundary_f1",
    "boundary_recall",
    "focal_within_25",
    "focal_within_50",
    "pe_fla",
    "pe_ori",
]
LOWER_IS_BETTER: frozenset[MetricName] = frozenset({"delta1_complement", "abs_rel", "pe_fla", "pe_ori"})
Unit = Literal["fraction", "percent", "ratio", "cm", "deg"]
"""A fraction is of something and ends at 1; a ratio may be above."""
LARGEST: dict[Unit, float] = {"fraction": 1.0, "percent": 100.0}
Focal = Literal["camera", "estimated", "unstated", "irrelevant"]
Value = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Values = dict[MetricName, Value | Literal["out of memory"]]
Count = Annotated[int, Field(gt=0)]


class Strict(BaseModel):
    """Refuses keys that it does not know, and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Measurement(Strict):
    """What somebody else measured with the published weights.

    Attributes:
        focal: whose focal length.
        same_protocol: whether it may count for the band.
    """

    by: str
    values: Values
    focal: Focal = "unstated"
    same_protocol: bool = True
    note: str = ""


class ProtocolSet(Strict):
    """One column of the table.

    Attributes:
        dataset, options: what to give `open_dataset`.
        images: how many the source has; None where it does not say.
        depth_m: the ground truth counts within ]min, max].
        size: (height, width) that photograph and ground truth are resized to; None for the ground truth's own.
        photo_size: (height, width) that the photograph alone is resized to; the prediction is resized to the ground
            truth.
        aligned_corners: the prediction is resized so that the centres of its corner pixels stay the corners, rather
            than the outlines of the images.
        cut_border_px: cut from each side of photograph and ground truth before.
        published: by system, as printed in the source.
    """

    title: str
    dataset: str
    options: dict[str, Any] = Field(default_factory=dict)
    images: Count | None = None
    depth_m: tuple[Value, Annotated[float, Field(gt=0)]] | None = None
    size: tuple[Count, Count] | None = None
    photo_size: tuple[Count, Count] | None = None
    aligned_corners: bool = False
    cut_border_px: Annotated[int, Field(ge=0)] = 0
    note: str = ""
    published: dict[str, Values]
    measured: tuple[Measurement, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> ProtocolSet:
        if self.dataset not in DATASETS:
            raise ValueError(f"unknown data set {self.dataset!r}, known are {sorted(DATASETS)}")
        unknown = sorted(set(self.options) - set(option_names(self.dataset)))
        if unknown:
            raise ValueError(f"data set {self.dataset} has no options {unknown}")
        if self.depth_m is not None and self.depth_m[0] >= self.depth_m[1]:
            raise ValueError(f"depth_m {list(self.depth_m)} must be [min, max]")
        if self.size is not None and self.photo_size is not None:
            raise ValueError("give size, of photograph and ground truth, or photo_size, of the photograph alone")
        return self

    def value(self, system: str, metric: MetricName) -> float | None:
        """What the source prints; None where it prints none, or that memory ran out."""
        return _number(self.published.get(system, {}).get(metric))

    def count_warning(self, found: int) -> str | None:
        """A sentence for a run on another number of images than the source's, else None."""
        if self.images is None or found == self.images:
            return None
        return f"{self.title}: {found} images, the published values are of {self.images}: they do not compare"


class Protocol(Strict):
    """One published table.

    Attributes:
        source: where the values were printed.
        metrics: and the unit of each.
        alignment: of every prediction before it is scored.
        focal: whose focal length makes the depth metric.
        masked_boundaries: pixels without ground truth are left out of boundary scores; False is the published code.
        headline_system: the model that the table presents, which bands are of.
        band_tolerance, band_reason: what a band is wider by than the known values, and why; None for no bands.
        average_rank: of each system over the sets, as printed.
    """

    title: str
    source: str
    metrics: Annotated[dict[MetricName, Unit], Field(min_length=1)]
    alignment: AlignmentMode
    focal: Focal
    masked_boundaries: bool = False
    headline_system: str
    band_tolerance: Annotated[float, Field(ge=0, lt=1)] | None = None
    band_reason: str = ""
    notes: tuple[str, ...] = ()
    average_rank: dict[str, Value] = Field(default_factory=dict)
    sets: Annotated[tuple[ProtocolSet, ...], Field(min_length=1)]

    @field_validator("sets")
    @classmethod
    def _own_titles(cls, value: tuple[ProtocolSet, ...]) -> tuple[ProtocolSet, ...]:
        titles = [each.title for each in value]
        if len(set(titles)) < len(titles):
            raise ValueError(f"sets need titles of their own, got {titles}")
        return value

    @model_validator(mode="after")
    def _values_fit(self) -> Protocol:
        for each in self.sets:
            for values in (*each.published.values(), *(measurement.values for measurement in each.measured)):
                for metric, value in values.items():
                    if metric not in self.metrics:
                        raise ValueError(f"{each.title} has values of {metric}, which is not among the metrics")
                    limit = LARGEST.get(self.metrics[metric], float("inf"))
                    if isinstance(value, float) and value > limit:
                        raise ValueError(f"{each.title}: {metric} {value} is above {limit}")
        if self.band_tolerance is not None and not self.band_reason:
            raise ValueError("band_tolerance needs a band_reason")
        return self

    @property
    def systems(self) -> tuple[str, ...]:
        """Every system with a published value, in the order of the file."""
        return tuple(dict.fromkeys(system for each in self.sets for system in each.published))

    def of(self, title: str) -> ProtocolSet:
        """The set with this title.

        Raises:
            InputError: there is none.
        """
        for each in self.sets:
            if each.title == title:
                return each
        raise InputError(f"{self.title} has no set {title!r}, it has {', '.join(each.title for each in self.sets)}")

    def band(self, title: str, metric: MetricName) -> tuple[float, float] | None:
        """What the headline system may be expected to score in one's own run, in the metric's unit.

        From the least to the largest of the published value and the values measured by others under the same
        protocol, widened by `band_tolerance` of each. A result outside calls for a look, it proves nothing.

        Returns:
            (low, high), or None where nobody else has measured.
        """
        each = self.of(title)
        others = [_number(m.values.get(metric)) for m in each.measured if m.same_protocol]
        measured = [value for value in others if value is not None]
        if self.band_tolerance is None or not measured:
            return None
        published = each.value(self.headline_system, metric)
        known = measured if published is None else [published, *measured]
        high = max(known) * (1 + self.band_tolerance)
        limit = LARGEST.get(self.metrics[metric], high)
        return min(known) * (1 - self.band_tolerance), min(high, limit)


def protocol_names() -> tuple[str, ...]:
    """The protocols that come with this package."""
    return tuple(sorted(path.stem for path in PROTOCOLS.glob("*.yaml")))


def read_protocol(name: str | Path) -> Protocol:
    """Read and check a protocol.

    Args:
        name: one of `protocol_names()`, or a YAML file of the same form.

    Raises:
        InputError: unknown, not YAML, or a key or value that does not fit; names each one.
    """
    path = PROTOCOLS / f"{name}.yaml" if str(name) in protocol_names() else Path(name)
    if not path.is_file():
        raise InputError(f"no protocol {str(name)!r}: name a YAML file, or one of {', '.join(protocol_names())}")
    try:
        return Protocol.model_validate(read_yaml_file(path, "protocol"))
    except ValidationError as error:
        raise InputError(f"protocol {path}: " + "; ".join(_problem(problem) for problem in error.errors())) from error


def _number(value: float | str | None) -> float | None:
    return value if isinstance(value, float) else None


def _problem(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "top level"
    return f"{where}: {problem['msg'].removeprefix('Value error, ')}"
