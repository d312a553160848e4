# SPDX-License-Identifier: Apache-2.0
"""The running node says and hears what the SROS2 policy allows, and connects to nobody but through DDS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from test.node.harness import PATIENCE_S, Peer
from test.security.test_command_line import GUARDED, guarded_environment

POLICY = Path(__file__).parents[2] / "config" / "sros2_policy.xml"
NAMESPACE, NODE = "policy", "depth_pro"
BY_SETTING = {
    "subscribe": {
        f"/{NAMESPACE}/image/compressed",  # image_transport: compressed, instead of image
        "/tf", "/tf_static",  # ranges without ranges_extrinsics, where tf2_ros is installed
    },
    "publish": set(),
    "reply": {
        f"/{NAMESPACE}/{NODE}/get_type_description",  # from Iron on
    },
}  # fmt: skip
"""What the policy allows and a node with the settings of this test does not use."""


def allowed(qualifier: str) -> set[str]:
    """Full names of what the policy allows to `publish`, `subscribe` or `reply`, in the namespace of the test."""
    names = set()
    for group in ElementTree.parse(POLICY).getroot().findall(f".//profile/*[@{qualifier}='ALLOW']"):
        for element in group:
            name = element.text or ""
            if name.startswith("~"):
                name = f"/{NAMESPACE}/{NODE}{name[1:]}"
            names.add(name if name.startswith("/") else f"/{NAMESPACE}/{name}")
    return names


@pytest.fixture(scope="module")
def peer(start: Callable[..., Peer]) -> Peer:
    sensor = {"ranges_type": "laser_scan", "ranges_extrinsics": "[0.0,0.0,0.0,0.0,0.0,0.0,1.0]"}
    return start(
        NAMESPACE,
        parameters={"autostart": True, "use_sim_time": True, "scale_source": "ranges", **sensor},
        remaps={"image": "image", "camera_info": "camera_info"},
    )


def used(peer: Peer, qualifier: str) -> set[str]:
    """What the node has, once discovery has found as much as the policy lets it have, or its patience is at an end."""
    look = {
        "publish": peer.get_publisher_names_and_types_by_node,
        "subscribe": peer.get_subscriber_names_and_types_by_node,
        "reply": peer.get_service_names_and_types_by_node,
    }[qualifier]
    wanted = allowed(qualifier) - BY_SETTING[qualifier]
    found: set[str] = set()
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends and not wanted <= found:
        if (NODE, f"/{NAMESPACE}") in peer.get_node_names_and_namespaces():
            found = {name for name, _ in look(NODE, f"/{NAMESPACE}")}
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("qualifier", ["publish", "subscribe", "reply"])
def test_the_node_has_exactly_what_the_policy_allows(peer: Peer, qualifier: str) -> None:
    found = used(peer, qualifier)
    assert found - allowed(qualifier) == set(), "the node uses what the policy does not allow"
    assert allowed(qualifier) - found <= BY_SETTING[qualifier], "the policy allows what the node does not use"


def test_the_node_calls_no_services(peer: Peer) -> None:
    used(peer, "publish")
    assert peer.get_client_names_and_types_by_node(NODE, f"/{NAMESPACE}") == []
    assert allowed("request") == set()


def test_the_policy_is_of_the_form_that_sros2_reads() -> None:
    root = ElementTree.parse(POLICY).getroot()
    assert root.tag == "policy" and root.get("version") == "0.2.0"
    assert [e.get("path") for e in root.findall("enclaves/enclave")] == ["/depth_pro"]
    for group in root.findall(".//profile/*"):
        assert (group.tag, *group.keys()) in {("topics", "publish"), ("topics", "subscribe"), ("services", "reply")}
        assert group and all(element.tag == group.tag[:-1] and element.text for element in group)


@dataclass(frozen=True)
class Watched:
    """A node with the bundled model, after it has run.

    Attributes:
        home: all folders that programs write to by themselves.
        events: what the guard saw, see `guarded`.
        sockets: TCP and UDP sockets that it had while active, from /proc.
    """

    home: Path
    events: tuple[str, ...]
    sockets: tuple[str, ...]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    home = tmp_path_factory.mktemp("home")
    for name in ("tmp", "here", "ros_log"):
        (home / name).mkdir()
    log, output = tmp_path_factory.mktemp("told") / "log", tmp_path_factory.mktemp("said") / "output"
    command = [sys.executable, str(GUARDED), str(log), "node", "--ros-args", "-r", "__ns:=/watched"]
    with output.open("wb") as said:
        process = subprocess.Popen(
            [*command, "-p", "model:=depth_pro_nano", "-p", "autostart:=true"],
            env=guarded_environment(home) | {"ROS_LOG_DIR": str(home / "ros_log"), "PYTHONUNBUFFERED": "1"},
            cwd=home / "here",
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        ends = time.monotonic() + 4 * PATIENCE_S
        while "active: images" not in output.read_text() and process.poll() is None and time.monotonic() < ends:
            time.sleep(0.1)
        assert "active: images" in output.read_text(), output.read_text()
        sockets = tuple(_sockets(process.pid))
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    yield Watched(home, tuple(log.read_text().splitlines()), sockets)


def _sockets(pid: int) -> Iterator[str]:
    """Protocol, and local and remote address, of a process's INET sockets."""
    mine = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            mine.add(os.readlink(file))
        except OSError:  # closed meanwhile
            continue
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        table = Path(f"/proc/{pid}/net/{protocol}")
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            words = line.split()
            if f"socket:[{words[9]}]" in mine:
                yield f"{protocol} {words[1]} {words[2]}"


def test_the_nodes_own_code_opens_no_connection(watched: Watched) -> None:
    assert [event for event in watched.events if event.startswith("connection")] == []


def test_the_nodes_sockets_are_those_of_discovery_and_data_of_dds(watched: Watched) -> None:
    assert watched.sockets, "DDS has some"
    for socket in watched.sockets:
        protocol, local, remote = socket.split()
        assert protocol in ("udp", "udp6"), f"DDS uses UDP only: {socket}"
        assert int(remote.rpartition(":")[2], 16) == 0, f"nothing is connected: {socket}"
        # ports of RTPS begin at 7400 (OMG DDSI-RTPS 2.5, 9.6.2.3); those it sends from are the system's choice
        assert int(local.rpartition(":")[2], 16) > 1024


def test_the_node_starts_no_program(watched: Watched) -> None:
    assert [event for event in watched.events if event.startswith("program")] == []


def test_the_node_writes_nothing_but_ros_logs(watched: Watched) -> None:
    left: list[Any] = [path.relative_to(watched.home) for path in watched.home.rglob("*") if path.is_file()]
    assert [path for path in left if path.parts[0] != "ros_log"] == []
    written = [event for event in watched.events if event.startswith(("write", "change"))]
    allowed_places = (str(watched.home / "ros_log"), "/dev/", "/proc/")
    assert [event for event in written if not any(place in event for place in allowed_places)] == []
