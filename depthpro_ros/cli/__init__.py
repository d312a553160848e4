# SPDX-License-Identifier: Apache-2.0
"""The `depthpro` command: one file per subcommand, argument parsing only."""
