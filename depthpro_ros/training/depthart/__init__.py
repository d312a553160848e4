# SPDX-License-Identifier: Apache-2.0
"""Training of DepthART and of what it is compared with."""
