# SPDX-License-Identifier: Apache-2.0
"""What consumers do with our messages, as small models.

Each is written from the consumer's documentation and the behaviour of its source, named in its module, and does in
NumPy what decides whether a message is accepted and what is seen in it. `Refused` is what such a consumer would log
or throw.
"""


class Refused(Exception):
    """The consumer does not take the message; says why."""
