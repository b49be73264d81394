"""Foveal attention: nothing changes at strength zero, and a short explicit version gives the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from probes.backend import foveal, load
from probes.core.errors import CapabilityError
from probes.core.marks import Mark
from probes.core.pictures import Picture
from probes.red_circle.drawing import focus
from tests.fakes import noise

SPECS = ("bundled", "random:ViT-S-32-alt", "random:ViT-B-32-quickgelu")


@pytest.fixture(scope="module", params=SPECS)
def model(request):
    return load(request.param, device="cpu", precision="float32")


@pytest.fixture
def pictures():
    return [noise(seed, 90, 120) for seed in range(3)]


def spot(pictures, x=0.3, y=0.4):
    mark = Mark("circle", ((x, y),), 0.2)
    return [focus((mark,), picture.height, picture.width) for picture in pictures]


def test_strength_zero_is_the_model_itself(model, pictures):
    still = model.encode_focused(pictures, spot(pictures), 0.0)
    assert np.abs(still - model.encode_images(pictures)).max() < 1e-5


def test_no_focus_anywhere_is_the_model_itself_and_focus_everywhere_leaves_patches_alike(model, pictures):
    black = [Picture("black", np.zeros_like(picture.rgb)) for picture in pictures]
    assert np.abs(model.encode_focused(pictures, black, 5.0) - model.encode_images(pictures)).max() < 1e-5


def by_hand(visual, pixels, bias):
    """The tower with the class token's attention written out, layer by layer, in float64."""
    x = visual._embeds(pixels.double())
    if not visual.transformer.batch_first:
        x = x.transpose(0, 1)
    for block in visual.transformer.resblocks:
        seen, attention = block.ln_1(x), block.attn
        n, tokens, width = seen.shape
        q, k, v = (seen @ attention.in_proj_weight.T + attention.in_proj_bias).chunk(3, dim=-1)
        q, k, v = (part.view(n, tokens, attention.num_heads, -1).transpose(1, 2) for part in (q, k, v))
        logits = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        logits[:, :, 0, 1:] += bias[:, None]
        mixed = (logits.softmax(dim=-1) @ v).transpose(1, 2).reshape(n, tokens, width)
        x = x + block.ls_1(mixed @ attention.out_proj.weight.T + attention.out_proj.bias)
        x = x + block.ls_2(block.mlp(block.ln_2(x)))
    pooled, _ = visual._pool(x)
    features = pooled @ visual.proj
    return features / features.norm(dim=-1, keepdim=True)


def test_it_equals_an_explicit_computation(model, pictures):
    where = spot(pictures)
    found = model.encode_focused(pictures, where, 3.0)
    seen = [model._preprocessing.pixels(picture) for picture in (*pictures, *where)]
    unit = model._preprocessing.unit(seen)
    visual = model._model.visual.double()
    try:
        bias = 3.0 * foveal.over_patches(visual, unit[3:].mean(dim=1)).double()
        with torch.inference_mode():
            expected = by_hand(visual, model._preprocessing.normalise(unit[:3]), bias).numpy()
    finally:
        visual.float()
    assert np.abs(found - expected).max() < 2e-5
    assert np.abs(found - model.encode_images(pictures)).max() > 1e-3


def test_the_hooks_leave_with_the_block(model, pictures):
    before = model.encode_images([noise(7)])
    visual = model._model.visual
    with pytest.raises(RuntimeError), foveal.attending(visual, torch.zeros(1, 1)):
        raise RuntimeError("whatever")
    assert not any(block._forward_pre_hooks for block in visual.transformer.resblocks)
    assert np.array_equal(before, model.encode_images([noise(7)]))


def test_looking_closer_moves_attention_there(model, pictures):
    rows = int(model._model.visual.grid_size[0])
    seen = torch.zeros(1, 8 * rows, 8 * rows)
    seen[:, : 4 * rows, : 4 * rows] = 1.0
    patches = foveal.over_patches(model._model.visual, seen).reshape(-1, rows)
    assert patches[0, 0] == 1.0
    assert patches[-1, -1] == 0.0


def test_what_was_computed_comes_from_the_cache_and_strengths_are_apart(model, pictures):
    one = model.encode_focused(pictures, spot(pictures), 2.0)
    again = model.encode_focused(list(reversed(pictures)), list(reversed(spot(pictures))), 2.0)
    assert np.array_equal(one, again[::-1])
    assert not np.array_equal(one, model.encode_focused(pictures, spot(pictures), 2.5))


def test_towers_without_a_class_token_refuse(pictures):
    resnet = load("random:RN50", device="cpu", precision="float32")
    with pytest.raises(CapabilityError, match="pooling layer"):
        resnet.encode_focused(pictures, spot(pictures), 1.0)
