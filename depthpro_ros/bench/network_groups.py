# SPDX-License-Identifier: Apache-2.0
"""Which implementations of the full network are compared on which machine."""

from __future__ import annotations

from dataclasses import dataclass, field

from depthpro_ros.bench.model_options import ModelOptions
from depthpro_ros.machine import BFLOAT16_UNITS

OURS = "depthpro_ros"
NO_BFLOAT16 = "bfloat16 is not measured: this processor has neither AVX-512 BF16 nor AMX."


@dataclass(frozen=True)
class Entrant:
    """One implementation in one form.

    Attributes:
        name: in the table.
        builder: see `BUILDERS`.
        fov: the field of view is estimated too.
        options: of our own network, but for the precision.
    """

    name: str
    builder: str
    fov: bool = True
    options: ModelOptions = field(default_factory=ModelOptions)


@dataclass(frozen=True)
class Group:
    """Entrants that take turns; the others are compared with the first.

    Attributes:
        title: of the table.
        precision: number format of all of them.
        entrants: at least one.
        optional: only where the time suffices.
    """

    title: str
    precision: str
    entrants: tuple[Entrant, ...]
    optional: bool = False


def groups(on_cuda: bool, flags: frozenset[str]) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """What is compared on such a machine.

    Args:
        on_cuda: the device is a GPU.
        flags: of the processor.

    Returns:
        The groups, and sentences about what is left out and why.
    """
    ours, theirs = Entrant(OURS, "merged"), Entrant("transformers", "transformers")
    beside, other = "Full network, 1536x1536, {}, beside transformers", "Full network, 1536x1536, {}, in other forms"

    def form(name: str, *, fov: bool = True, **options: str) -> Entrant:
        return Entrant(name, "merged", fov, ModelOptions(**options))  # type: ignore[arg-type]

    forms = [
        ours,
        form("known focal", fov=False),
        form("known focal, memory low", fov=False, memory="low"),
        Entrant("as it is trained, nothing merged", "unmerged"),
    ]
    if on_cuda:
        eager = form(f"{OURS}, accelerate eager", accelerate="eager")
        compiled = form(f"{OURS}, accelerate compile", accelerate="compile")
        theirs_compiled = Entrant("transformers, torch.compile", "transformers compiled")
        fp8 = form("quantise fp8 (approximate)", quantise="fp8")
        fp8_compiled = form("quantise fp8 (approximate), accelerate compile", quantise="fp8", accelerate="compile")
        return (
            Group(beside.format("float16"), "float16", (ours, eager, compiled, theirs, theirs_compiled)),
            Group(other.format("float16"), "float16", (*forms, fp8, fp8_compiled)),
            Group(beside.format("float32"), "float32", (ours, theirs)),
        ), ()
    forms.append(form("quantise int8 (approximate)", quantise="int8"))
    required = [Group(beside.format("float32"), "float32", (ours, theirs))]
    left_out: tuple[str, ...] = ()
    if BFLOAT16_UNITS & flags:
        required.append(Group(beside.format("bfloat16"), "bfloat16", (ours, theirs)))
    else:
        left_out = (NO_BFLOAT16,)
    fastest = required[-1].precision
    return (*required, Group(other.format(fastest), fastest, tuple(forms), optional=True)), left_out
