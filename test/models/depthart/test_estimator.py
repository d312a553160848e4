# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from depthpro_ros.errors import InputError
from depthpro_ros.models import load_estimator
from depthpro_ros.models.depthart.estimator import DepthArtEstimator
from depthpro_ros.models.depthart.weights import save_model
from test.models.depthart.conftest import CONFIGS, random_model


def _save(name: str, folder: Path) -> Path:
    save_model(random_model(CONFIGS[name]), folder / "random.safetensors")
    return folder / "random.safetensors"


@pytest.fixture(params=CONFIGS, scope="module")
def each(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of every configuration."""
    return _save(request.param, tmp_path_factory.mktemp("weights"))


@pytest.fixture(params=["var", "encoder"], scope="module")
def weights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the two that differ most."""
    return _save(request.param, tmp_path_factory.mktemp("weights"))


def _load(path: Path, **options: object) -> DepthArtEstimator:
    estimator = load_estimator(path, device="cpu", **options)
    assert isinstance(estimator, DepthArtEstimator)
    return estimator


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)


def test_depth_is_up_to_scale_and_never_metres(each: Path, image: np.ndarray) -> None:
    estimator = _load(each)
    prediction = estimator.predict(image)
    assert not estimator.info.metric
    assert prediction.depth_m is None
    assert prediction.relative_depth.shape == (30, 50)
    assert prediction.relative_depth.min() >= 1e-3
    assert prediction.relative_depth.max() <= 1
    with pytest.raises(InputError, match="not in metres"):
        prediction.metres  # noqa: B018


def test_focal_length_is_handed_on(weights: Path, image: np.ndarray) -> None:
    estimator = _load(weights)
    assert float(estimator.predict(image, 123.0).focal_px) == 123.0
    assert estimator.predict(image).focal_px.isnan()


def test_a_batch_says_what_its_images_say_alone(each: Path, image: np.ndarray) -> None:
    estimator = _load(each)
    other = 255 - image
    both = estimator.predict(np.stack([image, other])).relative_depth
    alone = torch.stack([estimator.predict(i).relative_depth for i in (image, other)])
    many = estimator.predict_many([image, other[:20, :24]], [None, 9.0])
    torch.testing.assert_close(both, alone, rtol=0, atol=1e-5)
    torch.testing.assert_close(many[0].relative_depth, alone[0], rtol=0, atol=1e-5)
    assert many[1].relative_depth.shape == (20, 24)


def test_low_memory_says_the_same(weights: Path, image: np.ndarray) -> None:
    batch = np.stack([image, 255 - image])
    usual, low = (_load(weights, memory=memory).predict(batch).relative_depth for memory in ("auto", "low"))
    torch.testing.assert_close(usual, low, rtol=0, atol=1e-5)


def test_refinement_ends_where_predict_does(each: Path, image: np.ndarray) -> None:
    estimator = _load(each)
    steps = estimator.refinement(image)
    assert steps.shape == (len(estimator.scales), 30, 50)
    torch.testing.assert_close(steps[-1], estimator.predict(image).relative_depth, rtol=0, atol=1e-6)
    assert not torch.allclose(steps[0], steps[-1])


@pytest.mark.parametrize("decoding", ["argmax", "sampled", "spread"])
def test_the_same_image_gives_the_same_depth(weights: Path, image: np.ndarray, decoding: str) -> None:
    estimator = _load(weights, decoding=decoding)
    first = estimator.predict(image).relative_depth
    estimator.predict(255 - image)
    assert torch.equal(first, estimator.predict(image).relative_depth)


def test_another_seed_draws_other_tokens(weights: Path, image: np.ndarray) -> None:
    first, second = (_load(weights, decoding="sampled", seed=seed).predict(image) for seed in (0, 1))
    assert not torch.equal(first.relative_depth, second.relative_depth)


def test_spread_is_the_relative_deviation_of_single_draws(weights: Path, image: np.ndarray) -> None:
    estimator = _load(weights, decoding="spread", samples=3)
    prediction = estimator.predict(image)
    assert prediction.relative_spread.shape == (30, 50)
    assert float(prediction.relative_spread.max()) > 0
    assert _load(weights, decoding="spread", samples=1).predict(image).relative_spread.max() == 0
    assert _load(weights).predict(image).relative_spread is None


def test_squashing_forgets_the_aspect_and_depth_gets_it_back(weights: Path) -> None:
    estimator = _load(weights)
    # columns of one colour: each row of the answer sees the same image, whatever its height
    columns = np.repeat(np.random.default_rng(1).integers(0, 256, (1, 40, 3), dtype=np.uint8), 40, axis=0)
    tall, flat = estimator.predict(columns).relative_depth, estimator.predict(columns[:10]).relative_depth
    side = estimator.network.config.tokenizer.image_px
    assert tall.shape == (40, 40)
    assert flat.shape == (10, 40)
    # sampled at the same places of the square: row centres (r + 1/2) / H
    torch.testing.assert_close(flat[2], 0.5 * (tall[9] + tall[10]), rtol=0.2, atol=2 / side)


def test_nan_weights_are_an_error_that_names_the_precision(tmp_path: Path, image: np.ndarray) -> None:
    model = random_model(CONFIGS["var"])
    model.transformer.head.bias[3] = torch.nan
    save_model(model, tmp_path / "nan.safetensors")
    for decoding in ("argmax", "sampled"):
        with pytest.raises(InputError, match="NaN or infinity for this image in float32"):
            _load(tmp_path / "nan.safetensors", decoding=decoding).predict(image)


def test_half_precision_stays_near(weights: Path, image: np.ndarray) -> None:
    full, half = (_load(weights, precision=p).predict(image).relative_depth for p in ("float32", "bfloat16"))
    # codes may differ where two are nearly as likely; the means of all pixels are alike
    assert float(half.mean() / full.mean()) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("options", [{"resolution": "half"}, {"quantise": "int8"}, {"reuse_tiles": 2.0}])
def test_settings_of_depth_pro_are_refused(weights: Path, options: dict[str, object]) -> None:
    with pytest.raises(InputError, match="leave these settings at their defaults"):
        _load(weights, **options)


def test_depth_pro_refuses_decodings() -> None:
    with pytest.raises(InputError, match="draws no tokens"):
        load_estimator("depth_pro_nano", device="cpu", decoding="sampled")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_graphs_say_what_eager_steps_say(weights: Path, image: np.ndarray) -> None:
    graphs, eager = (
        load_estimator(weights, device="cuda", precision="float32", accelerate=a) for a in ("graphs", "eager")
    )
    for picture in (image, 255 - image, image):
        first, second = graphs.predict(picture).relative_depth, eager.predict(picture).relative_depth
        torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-3)
