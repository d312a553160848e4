# SPDX-License-Identifier: Apache-2.0
"""`depthpro soak`: the real node under a mixed load for a long time, and whether anything of it grows or gets lost."""
