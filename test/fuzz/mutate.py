# SPDX-License-Identifier: Apache-2.0
"""Damaged inputs from valid ones, by a recipe: a few bytes, which a fuzzer draws and shrinks faster than the input.

The first byte of a recipe chooses the input, or noise; the second how many edits; then each edit is six bytes: what,
where (2), how much (3). Recipes come in batches: Hypothesis takes longer to draw bytes than most parsers to read them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Sequence

from test.fuzz.target import Target

EDIT_BYTES = 6
MOST_EDITS = 6
RECIPE_BYTES = 2 + MOST_EDITS * EDIT_BYTES
NOISE, UNREPAIRED = 0, 1
"""Values of the first byte, modulo 8: the rest of the recipe is the input; checksums are left wrong."""
NUMBERS = (0, 1, -1, 2, 3, 7, 16, 127, 128, 255, 256, 32767, 65535, 65536, 2**20, 2**24, 2**31 - 1, 2**31, 2**32 - 1,
           -(2**31), 2**40, 2**48, 2**63 - 1)  # fmt: skip
TEXTS = (b"nan", b"inf", b"-inf", b"1e999", b"-1", b"0", b"99999999999999999999", b"2147483648", b"null", b"true",
         b"1.5", b'""', b"[]", b"{}", b"[[[[", b"\xff\xfe", b"\0", b"\n", b"\x80", b"..", b"/")  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(\.\d+)?(e-?\d+)?")
Edit = Callable[[bytearray, int, int], None]


def batch(recipes: bytes, target: Target) -> Iterator[bytes]:
    """The inputs that recipes, one after the other, describe."""
    for start in range(0, len(recipes), RECIPE_BYTES):
        yield mutated(recipes[start : start + RECIPE_BYTES], target)


def mutated(recipe: bytes, target: Target) -> bytes:
    """The input that a recipe describes."""
    if not recipe:
        return b""
    seeds = target.seeds
    if recipe[0] % 8 == NOISE:
        return recipe[1:]
    recipe = recipe[: 2 + recipe[1] % (MOST_EDITS + 1) * EDIT_BYTES] if len(recipe) > 1 else recipe
    content = bytearray(seeds[(recipe[0] >> 3) % len(seeds)])
    for start in range(2, len(recipe) - EDIT_BYTES + 1, EDIT_BYTES):
        what, where, low, high = struct.unpack_from("<BHHB", recipe, start)
        _edit(content, what, where, low | high << 16, seeds, target.tokens)
    return bytes(content) if recipe[0] % 8 == UNREPAIRED else target.repair(bytes(content))


def _place(where: int, size: int) -> int:
    """Headers matter most, then what stands at the end, then the rest."""
    part, offset = where & 3, where >> 2
    if part == 0:
        return offset % max(size, 1)
    if part == 1:
        return max(size - 1 - offset % 256, 0)
    return min(offset % 512, max(size - 1, 0)) if part == 2 else offset * size >> 14


def _edit(content: bytearray, what: int, where: int, how: int, seeds: Sequence[bytes], tokens: Sequence[bytes]) -> None:
    at = _place(where, len(content))
    kind = what % 12
    if kind == 0:
        content[at : at + 1] = bytes([how & 255])
    elif kind == 1 and content:
        content[at] ^= 1 << (how & 7)
    elif kind in (2, 3):
        _number(content, at, how, "<>"[kind - 2])
    elif kind == 4:
        del content[at : at + 1 + how % 64]
    elif kind == 5:
        length = 1 + (how & 255) % 64
        source = _place(how >> 8, len(content))
        content[at:at] = content[source : source + length]
    elif kind == 6:
        del content[at:]
    elif kind in (7, 8):
        words = (*tokens, *TEXTS)
        word = words[how % len(words)]
        content[at : at + (len(word) if kind == 7 else 0)] = word
    elif kind == 9:
        _digits(content, at, how)
    elif kind == 10:
        other = seeds[how % len(seeds)]
        cut = _place(how >> 8, len(other))
        content[at:] = other[cut:]
    else:
        content[at:at] = bytes([how & 255]) * (how >> 8 & 1023)


def _number(content: bytearray, at: int, how: int, order: str) -> None:
    """Overwrite with a number that programs stumble over, of one to eight bytes."""
    kind = "bhiq"[how & 3]
    value = NUMBERS[(how >> 2) % len(NUMBERS)] + (how >> 16) % 3 - 1
    size = struct.calcsize(kind)
    content[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, "little" if order == "<" else "big")


def _digits(content: bytearray, at: int, how: int) -> None:
    """Replace the next number that is written in digits."""
    found = _NUMBER.search(content, at)
    if found:
        number = NUMBERS[how % len(NUMBERS)]
        content[found.start() : found.end()] = TEXTS[how % len(TEXTS)] if how & 256 else str(number).encode()
