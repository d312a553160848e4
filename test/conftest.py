# SPDX-License-Identifier: Apache-2.0
"""Settings for all tests."""

import os

# before torch is loaded: threads that spin while they wait make a busy machine many times slower
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
