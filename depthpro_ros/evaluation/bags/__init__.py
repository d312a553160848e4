# SPDX-License-Identifier: Apache-2.0
"""Recordings read without ROS: what they hold, what belongs together, and their ground truth."""
