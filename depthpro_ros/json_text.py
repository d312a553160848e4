# SPDX-License-Identifier: Apache-2.0
"""JSON from outside, which may be nested deeper than Python can follow."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str) -> Any:
    """As `json.loads`, with one kind of error for whatever is wrong.

    Raises:
        ValueError: not JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("not JSON that a person or a program would write") from error
