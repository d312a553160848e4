# SPDX-License-Identifier: Apache-2.0
"""Random changes of training images."""

import math

import cv2
import numpy as np
import pytest
import torch

from depthpro_ros.frames import RgbdFrame
from depthpro_ros.training.data import appearance
from depthpro_ros.training.data.augment import Change, Colour, PaperRates, crop, draw, flip
from depthpro_ros.training.data.batch import Batch, concatenate
from depthpro_ros.training.data.squash import squash

PIXELS = np.random.default_rng(3).integers(0, 256, (20, 20, 3), np.uint8)


def random_frame(height: int, width: int, fx_px: float) -> RgbdFrame:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (height, width, 3), np.uint8)
    return RgbdFrame(rgb, rng.uniform(1, 9, (height, width)).astype(np.float32), fx_px)


def points(batch: Batch) -> np.ndarray:
    """Back-projected points [S, S, 3] of an image whose pixels are square, from C and the field of view alone."""
    size = batch.rgb.shape[1]
    focal = 0.5 * size / math.tan(math.radians(batch.fov_deg.item()) / 2)
    depth = focal / (size * batch.canonical[0].double().numpy())
    offset = (np.arange(size) - (size - 1) / 2) / focal
    return np.stack([offset[None, :] * depth, offset[:, None] * depth, depth], axis=-1)


@pytest.mark.parametrize("share", [1.0, 0.8, 0.5])
def test_a_crop_leaves_the_points_where_they_are(share):
    frame = random_frame(40, 40, 30.0)
    cropped = crop(frame, share)
    size = cropped.rgb.shape[0]
    assert size == 40 * share
    rim = (40 - size) // 2
    whole = points(squash(frame, 40, "synthetic"))[rim : rim + size, rim : rim + size]
    assert np.allclose(points(squash(cropped, size, "synthetic")), whole, rtol=1e-5)


def test_a_crop_makes_canonical_inverse_depth_larger():
    frame = RgbdFrame(np.zeros((40, 40, 3), np.uint8), np.full((40, 40), 2.0, np.float32), 30.0)
    before, after = (squash(f, 8, "synthetic").canonical for f in (frame, crop(frame, 0.5)))
    assert torch.allclose(after, before / 0.5)


@pytest.mark.parametrize("length", [1, 2, 3, 40, 41])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.77, 1.0])
def test_a_crop_is_central_and_never_empty(length, share):
    frame = random_frame(length, length, 30.0)
    cropped = crop(frame, share)
    size = len(cropped.rgb)
    rim = (length - size) // 2
    assert size >= 1 and (length - size) % 2 == 0
    assert np.array_equal(cropped.rgb, frame.rgb[rim : rim + size, rim : rim + size])


def test_only_the_images_that_say_so_are_mirrored():
    batch = concatenate([squash(random_frame(8, 8, 5.0), 8, "synthetic")] * 2)
    batch.valid[:, 0, 0] = False
    both = flip(batch, [Change(), Change(flip=True)])
    assert torch.equal(both.rgb[0], batch.rgb[0])
    assert np.array_equal(both.rgb[1].numpy(), np.fliplr(batch.rgb[1].numpy()))
    assert np.array_equal(both.canonical[1].numpy(), np.fliplr(batch.canonical[1].numpy()))
    assert not both.valid[0, 0, 0] and not both.valid[1, 0, 7] and both.valid[1, 0, 0]


def test_changes_happen_as_often_as_they_should():
    rng = np.random.default_rng(0)
    drawn = [draw(rng, PaperRates()) for _ in range(4000)]
    # 4 standard deviations of a binomial share of 4000 are at most 0.032
    assert np.mean([c.colour is not None for c in drawn]) == pytest.approx(0.75, abs=0.032)
    assert np.mean([c.blur > 0 for c in drawn]) == pytest.approx(0.30, abs=0.032)
    assert np.mean([c.share < 1 for c in drawn]) == pytest.approx(0.50, abs=0.032)
    assert np.mean([c.flip for c in drawn]) == pytest.approx(0.50, abs=0.032)


def test_never_and_always():
    rng = np.random.default_rng(0)
    assert {draw(rng, PaperRates(0, 0, 0, 0)) for _ in range(50)} == {Change()}
    always = [draw(rng, PaperRates(1, 1, 1, 1, tone=1, noise=1)) for _ in range(50)]
    assert all(c.colour and c.blur and c.flip and c.noise and 0.5 <= c.share < 1 for c in always)
    assert all(0.5 <= g <= 2 and g != 1 for c in always for g in c.gamma)
    assert len({c.noise_seed for c in always}) == 50


def test_the_papers_changes_have_neither_noise_nor_bent_tones():
    rng = np.random.default_rng(0)
    assert {(c.gamma, c.noise) for c in (draw(rng, PaperRates()) for _ in range(50))} == {((1, 1, 1), 0)}


@pytest.mark.parametrize("strength", [0.0, 1.0, 3.0])
def test_strength_is_a_factor_on_how_far_colours_change(strength):
    for seed in range(20):
        a = draw(np.random.default_rng(seed), PaperRates(colour=1)).colour
        b = draw(np.random.default_rng(seed), PaperRates(colour=1, colour_strength=strength)).colour
        assert a and b
        plain, scaled = ((c.brightness, c.contrast, c.saturation, *c.balance) for c in (a, b))
        assert np.array(scaled) - 1 == pytest.approx(strength * (np.array(plain) - 1), abs=1e-12)
        assert min(scaled) > 0


def test_other_rates_do_not_shift_what_is_drawn_next():
    one, two = np.random.default_rng(7), np.random.default_rng(7)
    draw(one, PaperRates()), draw(two, PaperRates(0, 0, 0, 0))
    assert one.random() == two.random()


def test_brightness_and_balance_are_factors():
    changed = appearance.recolour(torch.tensor([[[100, 100, 100]]], dtype=torch.uint8), Colour(1.2, 1, 1, (1, 0.5, 2)))
    assert changed.tolist() == [[[120, 60, 240]]]


def test_tones_are_bent_by_the_exponent_and_black_and_white_stay():
    ramp = torch.arange(256, dtype=torch.uint8).view(1, 256, 1).expand(-1, -1, 3)
    bent = appearance.bend(ramp, (0.5, 1.0, 2.0)).numpy()[0]
    tones = np.arange(256) / 255
    assert np.abs(bent - 255 * np.stack([tones**0.5, tones, tones**2], axis=1)).max() <= 0.5
    assert bent[0].tolist() == [0, 0, 0] and bent[255].tolist() == [255, 255, 255]


def test_noise_has_its_deviation_and_repeats_with_its_seed():
    grey = torch.full((200, 200, 3), 128, dtype=torch.uint8)
    noisy = appearance.disturb(grey, 0.04, seed=5)
    # rounding adds a variance of 1/12; the deviation of 120,000 values is known to 0.6 % (three of its own)
    assert noisy.float().std().item() == pytest.approx(math.hypot(0.04 * 255, 12**-0.5), rel=0.006)
    assert torch.equal(noisy, appearance.disturb(grey, 0.04, seed=5))
    assert not torch.equal(noisy, appearance.disturb(grey, 0.04, seed=6))


def test_no_saturation_is_grey():
    grey = appearance.recolour(torch.from_numpy(PIXELS), Colour(saturation=0.0)).numpy()
    expected = cv2.cvtColor(PIXELS, cv2.COLOR_RGB2GRAY)
    assert np.abs(grey.astype(int) - expected[..., None]).max() <= 1


def test_no_contrast_is_the_mean_grey():
    flat = appearance.recolour(torch.from_numpy(PIXELS), Colour(contrast=0.0)).numpy()
    expected = (PIXELS.reshape(-1, 3).mean(0) * (0.299, 0.587, 0.114)).sum()
    assert np.abs(flat - expected).max() <= 0.5 + 1e-3


def test_the_default_colour_changes_nothing():
    assert np.array_equal(appearance.recolour(torch.from_numpy(PIXELS), Colour()).numpy(), PIXELS)


def test_blur_is_opencvs():
    ours = appearance.blur(torch.from_numpy(PIXELS), 1.3).numpy()
    theirs = cv2.GaussianBlur(PIXELS.astype(np.float32), (9, 9), 1.3, borderType=cv2.BORDER_REPLICATE)
    assert np.abs(ours - theirs).max() < 0.51


def test_no_change_changes_nothing_and_depth_keeps_its_edges():
    batch = squash(random_frame(20, 20, 5.0), 20, "synthetic")
    assert torch.equal(appearance.apply(batch, [Change()]).rgb, batch.rgb)
    changed = appearance.apply(batch, [Change(colour=Colour(1.2), blur=0.1)])
    assert not torch.equal(changed.rgb, batch.rgb)
    assert torch.equal(changed.canonical, batch.canonical)
