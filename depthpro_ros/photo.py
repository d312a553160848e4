# SPDX-License-Identifier: Apache-2.0
"""Photographs: their pixels the right way up, and the focal length that their EXIF data tells."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.encoded_images import MAX_IMAGE_MEGAPIXELS, check_megapixels
from depthpro_ros.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "PPM", "GIF", "JPEG2000", "AVIF", "HEIF", "TGA")
"""By Pillow's names, where it has them (HEIF needs a plug-in). Not all that it reads: for EPS it runs Ghostscript."""
FILM_DIAGONAL_MM = math.hypot(36.0, 24.0)
_EXIF_FOLDER = 0x8769
_FOCAL_IN_35MM_FILM = 0xA405


@dataclass(frozen=True)
class Photo:
    """A photograph.

    Attributes:
        rgb: uint8 [H, W, 3], upright.
        exif_focal_px: focal length in pixels, from EXIF's 35 mm equivalent; None where it is not told.
    """

    rgb: NDArray[np.uint8]
    exif_focal_px: float | None


def focal_from_film(focal_35mm: float, width: int, height: int) -> float:
    """Focal length in pixels of a lens that is `focal_35mm` millimetres on 36 x 24 mm film.

    Equal diagonal fields of view (CIPA DCG-001): f_px = f_35 sqrt(W^2 + H^2) / sqrt(36^2 + 24^2).
    """
    return focal_35mm * math.hypot(width, height) / FILM_DIAGONAL_MM


def read_photo(path: Path, *, max_megapixels: float = MAX_IMAGE_MEGAPIXELS) -> Photo:
    """Read a photograph in a format of `FORMATS`.

    Raises:
        InputError: missing, a folder, not an image, larger than allowed, cut off, or Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise InputError("reading photographs needs Pillow: pip install pillow") from error
    if not path.exists():
        raise InputError(f"photo {path} does not exist")
    if path.is_dir():
        raise InputError(f"{path} is a folder: name the photos in it")
    Image.init()
    try:
        with warnings.catch_warnings():
            # of damaged EXIF data, and of sizes that are checked here
            warnings.simplefilter("ignore")
            with Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN]) as image:
                check_megapixels(image.width, image.height, max_megapixels, f"photo {path}")
                image.load()
                exif_mm = _film_focal(image)
                rgb = _pixels(ImageOps.exif_transpose(image))
    except InputError:
        raise
    except Image.UnidentifiedImageError as error:
        raise InputError(f"photo {path} is in no image format that is read ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"photo {path} is too large: {error}") from error
    except Exception as error:  # whatever a damaged file makes of Pillow's decoders
        raise InputError(f"photo {path} cannot be read ({error}): the file is damaged or cut off") from error
    height, width = rgb.shape[:2]
    return Photo(rgb, None if exif_mm is None else focal_from_film(exif_mm, width, height))


def _film_focal(image: Image) -> float | None:
    """EXIF's FocalLengthIn35mmFilm, millimetres; 0 means unknown."""
    try:
        value = float(image.getexif().get_ifd(_EXIF_FOLDER).get(_FOCAL_IN_35MM_FILM, 0))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) and value >= 1 else None


def _pixels(image: Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16") or image.mode == "I":
        # Pillow would clip 16-bit grey at 255
        grey = (np.asarray(image).astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8)
        return np.ascontiguousarray(np.broadcast_to(grey[..., None], (*grey.shape, 3)))
    return np.array(image.convert("RGB"))
