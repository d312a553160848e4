# SPDX-License-Identifier: Apache-2.0
"""MATLAB's files of version 5, with every length checked (MathWorks: MAT-File Format, R2024, level 5).

SciPy reads them too, but ends the whole process on some damaged files.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError

MAX_BYTES = 1 << 30
"""Of one variable, unpacked."""
MAX_DEPTH = 16
"""Of cells and structures within each other."""
_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 16: "utf-8", 17: "utf-16", 18: "utf-32", 4: "utf-16"}
_CELL, _STRUCT, _CHAR = 1, 2, 4
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_COMPLEX = 0x0800


def parse_mat(content: bytes) -> dict[str, NDArray[Any]]:
    """Variables by name, as scipy.io.loadmat gives them; those of kinds that are not read here are left out.

    Cells are arrays of objects, structures arrays with a field of objects each, texts arrays of strings.

    Raises:
        InputError: not version 5, cut off, damaged, or larger than `MAX_BYTES`.
    """
    if len(content) < _HEADER_BYTES or content[126:128] not in (b"IM", b"MI"):
        raise InputError("it has no header of this version")
    order = "<" if content[126:128] == b"IM" else ">"
    if struct.unpack_from(f"{order}H", content, 124)[0] != 0x0100:
        raise InputError("it is of another version (7.3 is HDF5)")
    variables = {}
    reader = _Reader(content, order, _HEADER_BYTES)
    while not reader.ended:
        kind, data = reader.element()
        if kind == _COMPRESSED:
            kind, data = _Reader(_unpacked(data), order).element()
        if kind == _MATRIX:
            name, value = _matrix(data, order, 0)
            if value is not None:
                variables[name] = value
    return variables


@dataclass
class _Reader:
    """Elements one after the other: a type, a length, and so many bytes."""

    content: bytes
    order: str
    at: int = 0

    @property
    def ended(self) -> bool:
        return self.at >= len(self.content)

    def element(self) -> tuple[int, bytes]:
        """The next element's type and bytes."""
        kind, size = self._words(self.at)
        start = self.at + 8
        if kind >> 16:  # up to four bytes lie where the length would be
            kind, size, start = kind & 0xFFFF, kind >> 16, self.at + 4
            self.at += 8
            if size > 4:
                raise InputError(f"a short element claims {size} bytes")
        else:
            self.at = start + size + (0 if kind == _COMPRESSED else -size % 8)
        if start + size > len(self.content):
            raise InputError(f"an element of {size} bytes is cut off")
        return kind, self.content[start : start + size]

    def _words(self, at: int) -> tuple[int, int]:
        if at + 8 > len(self.content):
            raise InputError("it ends within an element")
        return struct.unpack_from(f"{self.order}II", self.content, at)

    def numbers(self) -> NDArray[Any]:
        """The next element's numbers."""
        kind, data = self.element()
        return _numbers(kind, data, self.order)

    def text(self) -> str:
        """The next element's characters, of one byte each."""
        return self.element()[1].decode("latin-1")


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise InputError(f"a variable cannot be unpacked: {error}") from error
    if unpacker.unconsumed_tail:
        raise InputError(f"a variable is larger than {MAX_BYTES} bytes")
    if not unpacker.eof:
        raise InputError("a packed variable is cut off")
    return unpacked


def _numbers(kind: int, data: bytes, order: str) -> NDArray[Any]:
    if kind not in _NUMBERS:
        raise InputError(f"numbers are of the type {kind}, which is none")
    dtype = np.dtype(order + _NUMBERS[kind])
    if len(data) % dtype.itemsize:
        raise InputError(f"{len(data)} bytes are no whole numbers of {dtype.itemsize} bytes")
    return np.frombuffer(data, dtype)


def _matrix(data: bytes, order: str, depth: int) -> tuple[str, NDArray[Any] | None]:
    """A variable's name and value; None for a kind that is not read."""
    if not data:
        return "", np.zeros((0, 0))
    if depth > MAX_DEPTH:
        raise InputError(f"cells and structures lie more than {MAX_DEPTH} deep in each other")
    reader = _Reader(data, order)
    flags = reader.numbers()
    shape = tuple(int(side) for side in reader.numbers())
    name = reader.text()
    if not len(flags) or len(shape) < 2 or len(shape) > 8 or min(shape) < 0:
        raise InputError(f"variable {name!r} has the shape {shape}")
    kind, count = int(flags[0]) & 0xFF, math.prod(shape)
    if kind in _CLASSES:
        return name, _array(reader, kind, shape, bool(int(flags[0]) & _COMPLEX))
    if kind == _CHAR:
        return name, _characters(reader, shape)
    if kind not in (_CELL, _STRUCT):
        return name, None
    fields = _field_names(reader) if kind == _STRUCT else [""]
    if count * max(len(fields), 1) > len(data) // 8:  # each has a head of 8 bytes at least
        raise InputError(f"variable {name!r} claims {count} elements in {len(data)} bytes")
    values = np.empty(count, [(field, object) for field in fields] if kind == _STRUCT else object)
    for index in range(count):
        for field in fields:
            element, content = reader.element()
            if element != _MATRIX:
                raise InputError(f"variable {name!r} holds an element of the type {element}, expected an array")
            (values[field] if field else values)[index] = _matrix(content, order, depth + 1)[1]
    return name, values.reshape(shape, order="F")


def _array(reader: _Reader, kind: int, shape: tuple[int, ...], is_complex: bool) -> NDArray[Any]:
    parts = [reader.numbers() for _ in range(1 + is_complex)]
    if any(len(part) != math.prod(shape) for part in parts):
        raise InputError(f"an array of {shape} has {len(parts[0])} values")
    values = parts[0].astype(_CLASSES[kind])
    if is_complex:
        values = values + 1j * parts[1]
    return values.reshape(shape, order="F")


def _characters(reader: _Reader, shape: tuple[int, ...]) -> NDArray[Any]:
    kind, data = reader.element()
    encoding = _TEXTS.get(kind)
    if encoding is None:
        raise InputError(f"characters are of the type {kind}, which is none")
    little = "le" if reader.order == "<" else "be"
    text = data.decode(f"{encoding}-{little}" if encoding in ("utf-16", "utf-32") else encoding, "replace")
    rows = math.prod(shape[:-1])
    if rows * shape[-1] != len(text):
        raise InputError(f"characters of {shape} are {len(text)}")
    # by columns, as all arrays
    return np.array([text[row::rows] for row in range(rows)] if text else [], dtype=np.str_)


def _field_names(reader: _Reader) -> list[str]:
    lengths = reader.numbers()
    names = reader.text()
    length = int(lengths[0]) if len(lengths) else 0
    if length < 1 or len(names) % length or len(names) // length > 4096:
        raise InputError(f"names of fields are {len(names)} bytes in pieces of {length}")
    fields = [names[start : start + length].split("\0")[0] for start in range(0, len(names), length)]
    if "" in fields or len(set(fields)) < len(fields):
        raise InputError("two fields have one name, or one has none")
    return fields
