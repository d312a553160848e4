# SPDX-License-Identifier: Apache-2.0
"""`depthpro bench`."""

from __future__ import annotations

import subprocess
import sys

from depthpro_ros.cli import main as cli


def test_an_unknown_part_is_wrong_usage(capsys):
    assert cli.main(["bench", "speed"]) == cli.USAGE
    assert "choose from machine" in capsys.readouterr().err


def test_help_names_the_parts_and_waits_for_no_heavy_import():
    code = (
        "import sys; from depthpro_ros.cli.main import main\n"
        "try: main(['bench', '--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'numpy', 'cv2', 'rclpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "transport" in done.stdout and done.stdout.splitlines()[-1] == "[]"
