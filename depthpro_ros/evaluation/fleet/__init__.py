# SPDX-License-Identifier: Apache-2.0
"""The recordings of a fleet: cut into units, spread over workers, merged into one evaluation."""
