# SPDX-License-Identifier: Apache-2.0
"""Photographs in unusual forms, and the focal length of EXIF."""

import numpy as np
import pytest
from PIL import Image

from depthpro_ros.errors import InputError
from depthpro_ros.photo import focal_from_film, read_photo

GREY = np.linspace(0, 255, 12 * 20).astype(np.uint8).reshape(12, 20)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "LA", "1", "I;16"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / ("photo.tif" if mode == "CMYK" else "photo.png")
    image = Image.fromarray(GREY.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(GREY).convert(mode)
    image.save(path)
    photo = read_photo(path)
    assert photo.rgb.dtype == np.uint8 and photo.rgb.shape == (12, 20, 3) and photo.exif_focal_px is None
    if mode != "1":
        assert np.abs(photo.rgb[..., 1].astype(int) - GREY).max() <= 1


@pytest.mark.parametrize("orientation, corner", [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))])
def test_exif_orientation_turns_the_picture_upright(tmp_path, orientation, corner):
    pixels = np.zeros((12, 20, 3), np.uint8)
    pixels[0, 0] = 255  # stored first; EXIF says where it belongs
    tags = Image.Exif()
    tags[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "photo.png", exif=tags)
    rgb = read_photo(tmp_path / "photo.png").rgb
    assert rgb.shape == ((12, 20, 3) if orientation in (1, 3) else (20, 12, 3))
    assert rgb[corner].tolist() == [255, 255, 255] and rgb.sum() == 3 * 255


@pytest.mark.parametrize("value, expected", [(43.2666153, 500.0), (0, None), (24, 277.35)])
def test_focal_from_exif(tmp_path, value, expected):
    # a 35 mm camera's diagonal is 43.27 mm: a lens of that length has a focal length of one image diagonal
    assert focal_from_film(43.2666153, 300, 400) == pytest.approx(500)
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0xA405] = round(value)
    Image.new("RGB", (300, 400)).save(tmp_path / "photo.jpg", exif=tags)
    focal = read_photo(tmp_path / "photo.jpg").exif_focal_px
    assert focal is None if expected is None else focal == pytest.approx(expected, rel=0.01)


def test_a_folder_is_no_photo(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        read_photo(tmp_path)
