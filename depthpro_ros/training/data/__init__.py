# SPDX-License-Identifier: Apache-2.0
"""What training learns from: folders, bags and procedural scenes, as the batches of optimiser steps."""
