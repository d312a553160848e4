# SPDX-License-Identifier: Apache-2.0
"""The Estimator's contract, on the bundled model."""

from __future__ import annotations

import math
import shutil

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
    exact = load_estimator("depth_pro_nano", device="cpu", precision="float32").predict(rgb[0], 60.0).depth_m
    for precision, tolerance in (("bfloat16", 0.1), ("float16", 0.03)):
        rough = load_estimator("depth_pro_nano", device="cpu", precision=precision).predict(rgb[0], 60.0).depth_m
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


def test_images_of_several_sizes_in_one_batch(estimator: Estimator, rgb: np.ndarray) -> None:
    other = np.random.default_rng(1).integers(0, 256, (40, 80, 3), dtype=np.uint8)
    together = estimator.predict_many([rgb[0], other, rgb[1]], [None, 70.0, 50.0])
    alone = [estimator.predict(rgb[0]), estimator.predict(other, 70.0), estimator.predict(rgb[1], 50.0)]
    for one, expected in zip(together, alone, strict=True):
        assert one.depth_m.shape == expected.depth_m.shape
        torch.testing.assert_close(one.depth_m, expected.depth_m, rtol=1e-4, atol=0)
        torch.testing.assert_close(one.focal_px, expected.focal_px, rtol=1e-4, atol=0)
    assert [p.fov_deg is None for p in together] == [False, True, True]


def test_no_images_are_no_predictions(estimator: Estimator) -> None:
    assert estimator.predict_many([], []) == []


def test_a_batch_within_many_is_refused(estimator: Estimator, rgb: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"\[H, W, 3\] and not empty"):
        estimator.predict_many([rgb], [None])


def test_low_memory_gives_the_same_depth(estimator: Estimator, rgb: np.ndarray) -> None:
    low = load_estimator("depth_pro_nano", device="cpu", precision="float32", memory="low")
    torch.testing.assert_close(low.predict(rgb).depth_m, estimator.predict(rgb).depth_m, rtol=1e-4, atol=0)
    assert low.info.approximations == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"resolution": "half"}, "input 128 pixels wide instead of the trained size"),
        ({"quantise": "int8"}, "int8 products in the transformers"),
        ({"reuse_tiles": 2.0}, "windows that changed by at most 2 levels are reused"),
    ],
)
def test_approximations_are_named(options: dict[str, object], said: str) -> None:
    approximate = load_estimator("depth_pro_nano", device="cpu", precision="float32", **options)
    assert approximate.info.approximations == (said,)
    assert approximate.predict(np.full((48, 64, 3), 90, np.uint8)).depth_m.isfinite().all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"memory": "tiny"}, "memory 'tiny' is unknown: choose auto, low"),
        ({"resolution": "1024"}, "resolution '1024' is unknown: choose full, two_thirds, half"),
        ({"resolution": "two_thirds"}, "cannot be reduced to 2/3.*multiple of 32 pixels"),
        ({"quantise": "int4"}, "quantise 'int4' is unknown"),
        ({"accelerate": "tensorrt"}, "accelerate 'tensorrt' is unknown"),
        ({"reuse_tiles": -1.0}, "reuse_tiles must be 0 .off. to 255 levels"),
    ],
)
def test_bad_options_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_estimator("depth_pro_nano", device="cpu", **options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device on this machine")
def test_graphs_need_cuda() -> None:
    with pytest.raises(InputError, match="'graphs' needs a CUDA device"):
        load_estimator("depth_pro_nano", accelerate="graphs")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_compiled_gives_the_same_depth(estimator: Estimator, rgb: np.ndarray) -> None:
    compiled = load_estimator("depth_pro_nano", device="cpu", precision="float32", accelerate="compile")
    torch.testing.assert_close(compiled.predict(rgb).depth_m, estimator.predict(rgb).depth_m, rtol=1e-3, atol=0)
