# SPDX-License-Identifier: Apache-2.0
"""The errors that this package raises for reasons a user can act on."""


class DepthProError(Exception):
    """Base of every error raised on purpose by this package; its text says what to do."""


class InputError(DepthProError, ValueError):
    """An image, a focal length or an option is not of the form that was asked for."""


class CameraError(DepthProError, ValueError):
    """A camera's intrinsics are missing, contradict the image, or make no sense."""


class PredictionError(DepthProError):
    """What a network answered cannot be a depth: its weights, its number format or its device is broken."""


class DataError(DepthProError):
    """A recording or a data set is missing, or cannot be read."""


class WeightsError(DepthProError):
    """A weights file is missing, damaged, or belongs to another network."""


def first_line(error: BaseException) -> str:
    """What an error says in its first line, or its kind where it says nothing, as `MemoryError()` does."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
