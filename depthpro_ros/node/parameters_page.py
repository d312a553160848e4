# SPDX-License-Identifier: Apache-2.0
"""The documentation's page of parameters, made from the table: `python -m depthpro_ros.node.parameters_page`."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path

from depthpro_ros.node.parameter_spec import Spec
from depthpro_ros.node.parameters import TABLE, Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "parameters.md"
HEAD = """\
<!-- Made by `python -m depthpro_ros.node.parameters_page` from the node's table: edit that. -->
# Parameters

Every parameter of `depth_node`. Those marked **runtime** may be changed while it runs (`ros2 param set /depth_pro NAME
VALUE`) and hold from the next frame on; the others only in a file or at the start. A value that is not allowed, alone
or together with the others, is refused with a reason. The same list as a file to copy is
[config/depth.yaml](../config/depth.yaml); a launch argument beats the file.

What to change for which trouble is in [Tuning](tuning.md). The `qos_overrides./TOPIC.publisher.*` parameters that rclpy
declares for each output are there too.
"""


def page() -> str:
    """The page, in Markdown."""
    specs = {spec.name: spec for spec in TABLE}
    parts = [HEAD]
    # a dataclass has the fields of its last base first
    for group in reversed([g for g in Settings.__mro__ if g is not Settings and dataclasses.is_dataclass(g)]):
        rows = [_row(specs.pop(name)) for name in group.__annotations__]
        title = (group.__doc__ or group.__name__).strip().splitlines()[0].rstrip(".")
        parts.append(_table(title, rows))
    if specs:
        parts.append(_table("Others", [_row(spec) for spec in specs.values()]))
    return "\n".join(parts)


def _table(title: str, rows: list[str]) -> str:
    head = "| parameter | default | |\n|---|---|---|\n"
    return f"## {title}\n\n{head}" + "\n".join(rows) + "\n"


def _row(spec: Spec) -> str:
    text = re.sub(r"([|*<])", r"\\\1", spec.help)
    if spec.choices:
        text += f" One of: {', '.join(f'`{c}`' for c in spec.choices)}."
    if spec.bounds is not None:
        text += f" From {spec.bounds[0]:g} to {spec.bounds[1]:g}."
    if spec.runtime:
        text = f"**runtime.** {text}"
    default = list(spec.default) if isinstance(spec.default, tuple) else spec.default
    return f"| `{spec.name}` | `{json.dumps(default)}` | {text} |"


def main() -> int:
    """Write the page; with --check only say whether it is current."""
    current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
    if "--check" in sys.argv[1:]:
        print(f"{PAGE} is {'current' if current else 'out of date: run this without --check'}")
        return 0 if current else 1
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
