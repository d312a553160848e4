# SPDX-License-Identifier: Apache-2.0
"""The command's own behaviour: version, help, errors, interruption."""

import subprocess
import sys

import pytest

import depthpro_ros
from depthpro_ros.cli import main as cli
from depthpro_ros.errors import InputError, WeightsError


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == f"depthpro {depthpro_ros.__version__}"


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["image", "--help"], ["weights", "--help"], ["demo", "--help"], ["evaluate", "--help"]]
    + [["evaluate", what, "--help"] for what in ("bag", "node", "bags", "dataset", "fleet", "compare", "report")],
)
def test_help_waits_for_no_heavy_import(arguments):
    code = (
        "import sys; from depthpro_ros.cli.main import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'numpy', 'cv2', 'rclpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_no_command_is_wrong_usage():
    with pytest.raises(SystemExit) as stop:
        cli.main([])
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [(InputError("bad"), 2), (WeightsError("bad"), 3), (PermissionError("bad"), 3), (KeyboardInterrupt(), 130)],
)
def test_errors_become_one_line_and_an_exit_code(monkeypatch, capsys, error, code):
    def fail(_):
        raise error

    monkeypatch.setattr("depthpro_ros.cli.weights._show", lambda: fail(None))
    assert cli.main(["weights"]) == code
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
