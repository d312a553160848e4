# SPDX-License-Identifier: Apache-2.0
"""Contracts with those who read what the node publishes."""
