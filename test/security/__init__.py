# SPDX-License-Identifier: Apache-2.0
"""What docs/security.md promises."""
