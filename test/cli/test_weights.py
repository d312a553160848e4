# SPDX-License-Identifier: Apache-2.0
"""`depthpro weights`. Only the download itself is replaced: it copies a small network's file into place."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import huggingface_hub
import pytest

from depthpro_ros.cli.main import main
from depthpro_ros.models.registry import NANO_WEIGHTS, find_apple_weights


class Hub:
    """Stands in for the download functions, and counts."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.content = b""
        self.fails = False

    def download(self, repo_id: str, filename: str, *, local_dir: Path) -> str:
        self.calls.append(f"{repo_id}/{filename}")
        if self.fails:
            raise ConnectionError("no route to huggingface.co")
        Path(local_dir).mkdir(parents=True, exist_ok=True)
        (Path(local_dir) / filename).write_bytes(self.content)
        return str(Path(local_dir) / filename)

    def snapshot(self, repo_id: str, *, local_dir: Path, allow_patterns: list[str]) -> str:
        assert "config.json" in allow_patterns and "*.safetensors" in allow_patterns
        self.calls.append(repo_id)
        Path(local_dir).mkdir(parents=True, exist_ok=True)
        shutil.copy(NANO_WEIGHTS, Path(local_dir) / "model.safetensors")  # and no config.json
        return str(local_dir)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("DEPTHPRO_WEIGHTS", raising=False)
    return tmp_path / "depthpro_ros"


@pytest.fixture
def hub(monkeypatch) -> Hub:
    hub = Hub()
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub.download)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot)
    return hub


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def tiny_pt(tmp_path) -> bytes:
    """The bundled model as a .pt; its configuration stands beside it, as for any size but Apple's."""
    import torch

    from depthpro_ros.models.depth_pro.weights import load_network

    network = load_network(NANO_WEIGHTS)
    torch.save(network.state_dict(), tmp_path / "tiny.pt")
    return (tmp_path / "tiny.pt").read_bytes()


def expect_nano_beside(folder: Path) -> None:
    from depthpro_ros.models.depth_pro.weights import load_network

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "depth_pro.json").write_text(load_network(NANO_WEIGHTS).config.to_json())


def test_show_says_where_it_looks_and_the_licence(home, hub, capsys):
    assert main(["weights"]) == 0
    text = capsys.readouterr().out
    assert str(home / "depth_pro.pt") in text and "DEPTHPRO_WEIGHTS" in text and "Found: none" in text
    assert "sample-code licence" in text and "research" in text and "unresolved" in text
    assert not hub.calls


def test_show_names_what_was_found(home, hub, capsys, monkeypatch):
    monkeypatch.setenv("DEPTHPRO_WEIGHTS", str(NANO_WEIGHTS))
    assert main(["weights"]) == 0
    assert f"Found: {NANO_WEIGHTS} ({NANO_WEIGHTS.stat().st_size / 1e6:.1f} MB)" in capsys.readouterr().out


def test_no_fetch_without_consent_where_nobody_can_be_asked(home, hub, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["weights", "--fetch"]) == 2
    assert "--accept-licence" in capsys.readouterr().err
    assert not hub.calls and not home.exists()


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "no\n", "yep, later\n"])
def test_anything_but_yes_fetches_nothing(home, hub, capsys, monkeypatch, answer):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert main(["weights", "--fetch"]) == 1
    captured = capsys.readouterr()
    assert "research" in captured.err and "nothing was fetched" in captured.err
    assert not hub.calls and not home.exists()


def test_accepting_without_fetching_fetches_nothing(home, hub, capsys):
    assert main(["weights", "--accept-licence"]) == 2
    assert not hub.calls


@pytest.mark.parametrize("by", ["option", "answer"])
def test_fetch_verifies_and_puts_the_file_where_it_is_found(home, hub, capsys, monkeypatch, tiny_pt, by):
    hub.content = tiny_pt
    expect_nano_beside(home / "arriving")
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main(["weights", "--fetch", *(["--accept-licence"] if by == "option" else [])]) == 0
    assert hub.calls == ["apple/DepthPro/depth_pro.pt"]
    assert find_apple_weights() == home / "depth_pro.pt"
    text = capsys.readouterr().out
    assert hashlib.sha256(tiny_pt).hexdigest() in text and "Apple's depth_pro.pt" in text
    # a second call finds it and fetches nothing
    shutil.copy(home / "arriving" / "depth_pro.json", home)
    assert main(["weights", "--fetch"]) == 0
    assert len(hub.calls) == 1


def test_a_bad_download_is_not_put_in_place(home, hub, capsys):
    hub.content = b"<html>rate limited</html>"
    assert main(["weights", "--fetch", "--accept-licence"]) == 3
    assert "damaged" in capsys.readouterr().err
    assert find_apple_weights() is None


def test_an_incomplete_folder_is_not_put_in_place(home, hub, capsys):
    assert main(["weights", "--fetch", "--accept-licence", "--repo", "apple/DepthPro-hf"]) == 3
    assert hub.calls == ["apple/DepthPro-hf"]
    assert "config.json is missing" in capsys.readouterr().err
    assert find_apple_weights() is None


def test_no_network_says_how_else_to_get_them(home, hub, capsys):
    hub.fails = True
    assert main(["weights", "--fetch", "--accept-licence", "--repo", "apple/DepthPro"]) == 3
    message = capsys.readouterr().err
    assert "no route to huggingface.co" in message and "huggingface.co/apple/DepthPro" in message
    assert str(home / "depth_pro.pt") in message


def test_verify_reports_layout_parameters_and_digest(home, hub, capsys):
    assert main(["weights", "--verify", str(NANO_WEIGHTS)]) == 0
    text = capsys.readouterr().out
    assert hashlib.sha256(NANO_WEIGHTS.read_bytes()).hexdigest() in text
    assert "layout      depthpro_ros" in text and "float16" in text


def test_verify_refuses_a_damaged_file(home, hub, capsys, tmp_path):
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(NANO_WEIGHTS.read_bytes()[:100_000])
    assert main(["weights", "--verify", str(cut)]) == 3
    assert "damaged or cut off" in capsys.readouterr().err


def test_verify_without_a_path_wants_found_weights(home, hub, capsys):
    assert main(["weights", "--verify"]) == 3
    assert "no Apple weights were found" in capsys.readouterr().err
