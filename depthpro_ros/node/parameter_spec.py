# SPDX-License-Identifier: Apache-2.0
"""What is known about one parameter of the node, and how rclpy is told."""

from __future__ import annotations

import array
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.parameter import Parameter

from depthpro_ros.errors import InputError

if TYPE_CHECKING:
    from rclpy.node import Node

Value = bool | int | float | str | tuple[str, ...] | tuple[float, ...]


def row(default: Any, help_: str, **about: Any) -> Any:
    """A row of the table of parameters: a field of a dataclass.

    Args:
        default, help_, about: see `Spec`.
    """
    return dataclasses.field(default=default, metadata={"help": help_} | about)


@dataclass(frozen=True)
class Spec:
    """What is known about one parameter.

    Attributes:
        name, default: as declared; the default's type is the parameter's. A tuple is a list.
        help: one or two sentences for users.
        choices: the values that a text may have; empty if any.
        bounds: least and greatest value of a number, both allowed.
        runtime: may be changed while the node runs, from the next frame on; else it is read-only.
        numbers: a list is one of numbers, not of texts.
    """

    name: str
    default: Value
    help: str
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    runtime: bool = False
    numbers: bool = False

    def check(self, value: Any) -> Value:
        """The value as the parameter's type.

        Raises:
            InputError: another type, or out of range.
        """
        if isinstance(self.default, tuple):
            return self._numbers(value) if self.numbers else self._texts(value)
        if self.choices and isinstance(value, bool):
            # YAML and `-p name:=off` read off, on, true and false as booleans
            value = next((c for c in self.choices if c in (("true", "on") if value else ("false", "off"))), value)
        wanted = type(self.default)
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not wanted or not isinstance(value, bool | int | float | str):
            raise InputError(f"{self.name} must be {wanted.__name__}, {value!r} is {type(value).__name__}")
        if self.choices and value not in self.choices:
            raise InputError(f"{self.name} must be one of {', '.join(self.choices)}; it is {value!r}")
        if self.bounds is not None and not self.bounds[0] <= float(value) <= self.bounds[1]:
            raise InputError(f"{self.name} must be {self.bounds[0]} to {self.bounds[1]}; it is {value}")
        return value

    def _texts(self, value: Any) -> tuple[str, ...]:
        if value is None:  # what rcl makes of an empty list, whose type it cannot tell
            return ()
        if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(v, str) for v in value):
            raise InputError(f"{self.name} must be a list of texts, such as ['front', 'rear']; it is {value!r}")
        return tuple(value)

    def _numbers(self, value: Any) -> tuple[float, ...]:
        if value is None or (isinstance(value, bytes | list) and not value):  # an empty list, as above
            return ()
        if not isinstance(value, Sequence | array.array) or not all(type(v) in (int, float) for v in value):
            raise InputError(f"{self.name} must be a list of numbers, such as [0.0, 1.0]; it is {value!r}")
        return tuple(float(v) for v in value)

    def descriptor(self) -> ParameterDescriptor:
        """The ROS description of this parameter."""
        text = self.help + (f" One of: {', '.join(self.choices)}." if self.choices else "")
        descriptor = ParameterDescriptor(
            name=self.name,
            description=text,
            additional_constraints=", ".join(self.choices),
            read_only=not self.runtime,
            # whole numbers for floats, and the texts that YAML takes for booleans, go through `check`
            dynamic_typing=isinstance(self.default, float) or bool(self.choices),
        )
        if self.bounds is not None and isinstance(self.default, float):
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=self.bounds[0], to_value=self.bounds[1], step=0.0)
            ]
        elif self.bounds is not None:
            descriptor.integer_range = [
                IntegerRange(from_value=int(self.bounds[0]), to_value=int(self.bounds[1]), step=0)
            ]
        return descriptor

    def declare(self, node: Node) -> Parameter:
        """Declare the parameter; its value, which YAML and the command line may have changed."""
        if not isinstance(self.default, tuple):
            return node.declare_parameter(self.name, self.default, self.descriptor())
        return self._declare_numbers(node) if self.numbers else self._declare_texts(node)

    def _declare_texts(self, node: Node) -> Parameter:
        # rclpy takes an empty list for one of bytes, and rcl gives one in YAML no type at all. So the type is
        # declared, and the empty list set with it: with a parameter that is not set `ros2 param dump` fails
        texts = Parameter.Type.STRING_ARRAY
        descriptor = self.descriptor()
        descriptor.read_only = False
        if node.declare_parameter(self.name, texts, descriptor).type_ == Parameter.Type.NOT_SET:
            node.set_parameters([Parameter(self.name, texts, list(self._texts(self.default)))])
        descriptor = self.descriptor()
        descriptor.type = texts.value
        node.set_descriptor(self.name, descriptor)
        return node.get_parameter(self.name)

    def _declare_numbers(self, node: Node) -> Parameter:
        # whole numbers make a list of another type, so any is declared, and what it means is set as the right one
        default = self._numbers(self.default)
        descriptor = self.descriptor()
        descriptor.read_only, descriptor.dynamic_typing = False, True
        given = self._numbers(node.declare_parameter(self.name, list(default), descriptor).value)
        node.set_parameters([Parameter(self.name, Parameter.Type.DOUBLE_ARRAY, list(given))])
        descriptor = self.descriptor()
        descriptor.type = Parameter.Type.DOUBLE_ARRAY.value
        node.set_descriptor(self.name, descriptor)
        return node.get_parameter(self.name)
