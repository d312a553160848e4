# SPDX-License-Identifier: Apache-2.0
"""Every parser of bytes that come from outside, fed with damaged ones: docs/security.md."""
