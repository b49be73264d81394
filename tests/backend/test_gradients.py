"""Gradients against central differences in float64."""

import numpy as np
import torch

from tests.backend import small


def test_gradient_is_the_slope_of_the_cosine(vit):
    picture, text = small.pictures(1)[0], "a cat"
    slope = vit.gradient(picture, text)
    height, width = vit.card.image_size
    assert slope.shape == (height, width, 3)
    unit = vit._preprocessing.unit([vit._preprocessing.pixels(picture)]).double()
    model = vit._model.double()
    try:
        mean, std = vit._preprocessing._mean.double(), vit._preprocessing._std.double()
        ids = vit._tokenizer([text])

        def cosine(point):
            with torch.no_grad():
                image = model.encode_image((point - mean) / std, normalize=True)
                return float((image @ model.encode_text(ids, normalize=True).T)[0, 0])

        rng, step = np.random.default_rng(0), 1e-5
        for _ in range(12):
            y, x, channel = rng.integers(height), rng.integers(width), rng.integers(3)
            up, down = unit.clone(), unit.clone()
            up[0, channel, y, x] += step
            down[0, channel, y, x] -= step
            difference = (cosine(up) - cosine(down)) / (2 * step)
            assert abs(difference - slope[y, x, channel]) < 1e-4 * np.abs(slope).max()
    finally:
        model.float()


def test_gradient_leaves_the_model_as_it_was(vit):
    before = vit.encode_texts(["x"])
    first = vit.gradient(small.pictures(1)[0], "x")
    assert all(not weight.requires_grad and weight.grad is None for weight in vit._model.parameters())
    np.testing.assert_array_equal(first, vit.gradient(small.pictures(1)[0], "x"))
    np.testing.assert_array_equal(before, vit.encode_texts(["x"]))
