# SPDX-License-Identifier: Apache-2.0
"""`python -m depthpro_ros.cli` is the `depthpro` command."""

import sys

from depthpro_ros.cli.main import main

sys.exit(main())
