# SPDX-License-Identifier: Apache-2.0
"""The Estimator's contract, on the bundled model."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from depthpro_ros import Estimator, load_estimator
from depthpro_ros.errors import InputError


@pytest.fixture(scope="module")
def estimator() -> Estimator:
    return load_estimator("depth_pro_nano", device="cpu", precision="float32")


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)


def test_one_image(estimator: Estimator, rgb: np.ndarray) -> None:
    prediction = estimator.predict(rgb[0])
    assert prediction.depth_m.shape == (48, 64)
    assert prediction.depth_m.dtype == torch.float32
    assert prediction.focal_px.shape == ()
    assert prediction.fov_deg is not None
    focal = 32 / math.tan(math.radians(float(prediction.fov_deg)) / 2)
    assert float(prediction.focal_px) == pytest.approx(focal, rel=1e-5)


def test_batch_equals_single_images(estimator: Estimator, rgb: np.ndarray) -> None:
    batch = estimator.predict(rgb)
    assert batch.depth_m.shape == (2, 48, 64)
    for index in range(2):
        single = estimator.predict(rgb[index])
        torch.testing.assert_close(batch.depth_m[index], single.depth_m, rtol=1e-4, atol=0)
        torch.testing.assert_close(batch.focal_px[index], single.focal_px, rtol=1e-4, atol=0)


def test_torch_and_numpy_images_are_the_same(estimator: Estimator, rgb: np.ndarray) -> None:
    assert torch.equal(estimator.predict(rgb).depth_m, estimator.predict(torch.from_numpy(rgb)).depth_m)


def test_depth_is_proportional_to_the_focal(estimator: Estimator, rgb: np.ndarray) -> None:
    near = estimator.predict(rgb[0], 40.0).depth_m
    far = estimator.predict(rgb[0], 80.0).depth_m
    inside = (near > 1e-3) & (far < 9e3)
    assert inside.any()
    torch.testing.assert_close(far[inside], 2 * near[inside], rtol=1e-5, atol=0)


@pytest.mark.parametrize("focal", [50, 50.0, np.float32(50), torch.tensor(50.0), np.array([50.0, 50.0]), [50, 50.0]])
def test_every_form_of_a_known_focal_skips_the_fov_network(estimator, rgb: np.ndarray, focal: object) -> None:
    prediction = estimator.predict(rgb, focal)
    assert prediction.fov_deg is None
    assert prediction.focal_px.tolist() == [50.0, 50.0]


def test_some_focals_known(estimator: Estimator, rgb: np.ndarray) -> None:
    mixed = estimator.predict(rgb, [50.0, None])
    assert mixed.fov_deg is not None
    assert float(mixed.focal_px[0]) == 50.0
    torch.testing.assert_close(mixed.focal_px[1], estimator.predict(rgb).focal_px[1], rtol=1e-4, atol=0)


@pytest.mark.parametrize("focal", [0, -5.0, math.nan, math.inf, [50.0], [50.0, -1.0], torch.tensor([50.0] * 3)])
def test_bad_focal_is_refused(estimator: Estimator, rgb: np.ndarray, focal: object) -> None:
    with pytest.raises(InputError, match="focal_px"):
        estimator.predict(rgb, focal)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((48, 64, 3), dtype=np.float32),
        np.zeros((48, 64), dtype=np.uint8),
        np.zeros((48, 64, 4), dtype=np.uint8),
        np.zeros((0, 64, 3), dtype=np.uint8),
        np.zeros((1, 1, 48, 64, 3), dtype=np.uint8),
        [[1, 2, 3]],
    ],
)
def test_bad_image_is_refused(estimator: Estimator, image: object) -> None:
    with pytest.raises(InputError, match="rgb must be"):
        estimator.predict(image)


def test_any_precision(rgb: np.ndarray) -> None:
    exact = load_estimator("depth_pro_nano", device="cpu", precision="float32").predict(rgb, 60.0).depth_m
    for precision, tolerance in (("bfloat16", 0.1), ("float16", 0.03)):
        rough = load_estimator("depth_pro_nano", device="cpu", precision=precision).predict(rgb, 60.0).depth_m
        assert rough.dtype == torch.float32
        change = ((rough - exact).abs() / exact).median()
        assert change < tolerance, precision


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_agrees_with_the_cpu(rgb: np.ndarray) -> None:
    exact = load_estimator("depth_pro_nano", device="cpu", precision="float32").predict(rgb)
    on_gpu = load_estimator("depth_pro_nano", device="cuda", precision="auto")
    assert on_gpu.info.precision == "float16"
    prediction = on_gpu.predict(rgb)
    assert prediction.depth_m.is_cuda and prediction.depth_m.dtype == torch.float32
    change = ((prediction.depth_m.cpu() - exact.depth_m).abs() / exact.depth_m).median()
    assert change < 0.03
