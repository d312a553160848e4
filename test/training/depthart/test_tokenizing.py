# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from depthpro_ros.training.depthart.tokenizing import MIX_SHARPNESS, CodeUse, tokenizer_loss
from test.training.depthart.small import small_model


def _image() -> torch.Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_loss_is_reconstruction_and_commitment() -> None:
    tokenizer, image = small_model().tokenizer, _image()
    valid = torch.ones(2, 8, 8, dtype=torch.bool)
    valid[0, :4] = False
    loss, parts, _ = tokenizer_loss(tokenizer, image, valid)
    with torch.no_grad():
        latent = tokenizer.encode(image)
        sums = list(tokenizer.quantize.sums(tokenizer.quantize.walk(latent).chosen))
        error = (tokenizer.decode(sums[-1]) - image).abs().mean(1)
        commitment = sum(1.25 * (total - latent).square().mean() for total in sums) / 3
    torch.testing.assert_close(parts["reconstruction"], error[valid].mean())
    torch.testing.assert_close(loss.detach(), error[valid].mean() + commitment)


def test_gradient_passes_the_quantiser_to_encoder_codes_and_shared_convolutions() -> None:
    tokenizer = small_model().tokenizer
    loss, _, _ = tokenizer_loss(tokenizer, _image(), torch.ones(2, 8, 8, dtype=torch.bool))
    loss.backward()
    without = [name for name, p in tokenizer.named_parameters() if p.grad is None]
    assert without == []
    for part in (tokenizer.encoder.conv_in, tokenizer.quantize.embedding, tokenizer.quantize.quant_resi.qresi_ls[0]):
        assert float(part.weight.grad.abs().sum()) > 0


def test_codes_that_are_not_used_move_to_residuals_and_others_stay() -> None:
    tokenizer = small_model().tokenizer
    use = CodeUse(32, decay=0.5)
    for _ in range(20):
        use.seen(torch.arange(30))  # never 30, 31
    before = tokenizer.quantize.embedding.weight.detach().clone()
    residuals = torch.randn(5, 8) + 100
    assert use.revive(tokenizer, residuals) == 2
    after = tokenizer.quantize.embedding.weight.detach()
    assert torch.equal(after[:30], before[:30])
    assert all(any(torch.equal(code, r) for r in residuals) for code in after[30:])
    assert use.revive(tokenizer, residuals) == 0


def test_mixed_images_are_decoded_from_mixed_latents() -> None:
    tokenizer, image = small_model().tokenizer, _image()
    valid = torch.ones(2, 8, 8, dtype=torch.bool)
    torch.manual_seed(0)
    _, parts, _ = tokenizer_loss(tokenizer, image, valid, mix=1.0)
    torch.manual_seed(0)
    weights = (MIX_SHARPNESS * torch.rand(2, 1) * torch.randn(2, 2)).softmax(1)
    with torch.no_grad():
        latent = tokenizer.encode(image)
        each = []
        for (first, second), made in zip(
            weights.tolist(),
            tokenizer.decode(torch.stack([a * latent[0] + b * latent[1] for a, b in weights])),
            strict=True,
        ):
            each.append((made - (first * image[0] + second * image[1])).abs().mean())
    torch.testing.assert_close(parts["reconstruction"], torch.stack(each).mean())
