# SPDX-License-Identifier: Apache-2.0
"""Runs a function of the package, and writes down every file that Python opens for writing and every connection.

Arguments: the file to write to, `cli` or `node`, and what is left for that.
"""

from __future__ import annotations

import os
import sys

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CONNECTIONS = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname")
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn")
_CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil.rmtree")


def main() -> int:
    """Set the guard, then run."""
    log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            flags = arguments[2] if isinstance(arguments[2], int) else 0
            if flags & _WRITING and arguments[0] != os.devnull:
                os.write(log, f"write {arguments[0]!r}\n".encode())
        elif event in _CONNECTIONS:
            os.write(log, f"connection {event} {arguments[1:]!r}\n".encode())
        elif event in _PROGRAMS:
            os.write(log, f"program {event} {arguments[:2]!r}\n".encode())
        elif event in _CHANGES:
            os.write(log, f"change {event} {arguments!r}\n".encode())

    sys.addaudithook(note)
    if sys.argv[2] == "node":
        sys.argv = ["depth_node", *sys.argv[3:]]
        from depthpro_ros.node.depth_node import main as run_node

        return int(run_node() or 0)
    from depthpro_ros.cli.main import main as run_command

    return run_command(sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
