# SPDX-License-Identifier: Apache-2.0
"""Readers of the file formats that data sets use; each gives arrays, in metres and pixels."""
