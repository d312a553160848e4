# SPDX-License-Identifier: Apache-2.0
"""What an evaluation leaves behind: a record for each frame, small pictures, and the summary that follows from them."""
