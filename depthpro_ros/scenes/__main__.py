# SPDX-License-Identifier: Apache-2.0
"""`python -m depthpro_ros.scenes` is `depthpro scenes`."""

from __future__ import annotations

import sys

from depthpro_ros.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["scenes", *sys.argv[1:]]))
