# SPDX-License-Identifier: Apache-2.0
"""The demo: real photographs through the real node, from bag to bag, with a report. No rclpy in here."""
