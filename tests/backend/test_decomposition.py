"""The parts sum to the whole; each part is what a slow version of it, written out in float64, says it is."""

import numpy as np
import pytest
import torch

from probes.backend import decomposition, device
from probes.core.errors import CapabilityError, ModelError
from probes.core.model import Capability
from tests.backend import small

SHAPES = {
    "plain": small.config(),
    "quick gelu": small.config(quick_gelu=True),
    "no norm before": small.config({"no_ln_pre": True}),
    "norm after pooling": small.config({"final_ln_after_pool": True}),
    "layer scale": small.config({"ls_init_value": 0.3}),
    "patch dropout": small.config({"patch_dropout": 0.5}),
    "one layer, one head": small.config({"layers": 1, "head_width": 48}),
    "wide and oblong": small.config({"width": 96, "image_size": [24, 40], "mlp_ratio": 2.0}),
    "other epsilon": small.config({"norm_kwargs": {"eps": 1e-2}}),
}


@pytest.fixture(scope="module", params=SHAPES, ids=list(SHAPES))
def tower(request, tmp_path_factory):
    return small.open_folder(small.save(tmp_path_factory.mktemp("tower"), SHAPES[request.param], seed=3))


def slow_terms(visual, pixels):
    """Heads (L, H, d), MLPs (L, d) and attention (L, H, T) of one picture, straight from the definition."""
    visual = visual.double()
    x = visual._embeds(pixels.double())[0]
    heads, mlps, maps = [], [], []
    for block in visual.transformer.resblocks:
        count = block.attn.num_heads
        seen = block.ln_1(x)
        q, k, v = (seen @ block.attn.in_proj_weight.T + block.attn.in_proj_bias).chunk(3, dim=-1)
        layer, rows = [], []
        for h in range(count):
            e = slice(h * x.shape[1] // count, (h + 1) * x.shape[1] // count)
            a = torch.softmax(q[:, e] @ k[:, e].T / (x.shape[1] // count) ** 0.5, dim=-1)
            layer.append(block.ls_1(a @ v[:, e] @ block.attn.out_proj.weight[:, e].T))
            rows.append(a[0])
        heads.append(torch.stack([term[0] for term in layer]))
        maps.append(torch.stack(rows))
        x = x + sum(layer) + block.ls_1(block.attn.out_proj.bias)
        mlp = block.ls_2(block.mlp(block.ln_2(x)))
        mlps.append(mlp[0])
        x = x + mlp
    whole = x[0]
    sigma = (whole.var(unbiased=False) + visual.ln_post.eps).sqrt()

    def put_through(term):
        return ((term - term.mean(-1, keepdim=True)) / sigma * visual.ln_post.weight) @ visual.proj

    norm = (put_through(whole) + visual.ln_post.bias @ visual.proj).norm()
    found = [put_through(torch.stack(terms)) / norm for terms in (heads, mlps)]
    return found[0].numpy(), found[1].numpy(), torch.stack(maps).numpy()


def test_the_parts_sum_to_the_embedding(tower):
    parts = tower.decompose(small.pictures(5), by_token=True)
    total = parts.heads.sum((1, 2)) + parts.mlps.sum(1) + parts.initial + parts.constant
    assert np.abs(total - parts.embedding).max() < 1e-5
    assert parts.error == pytest.approx(np.abs(total - parts.embedding).max(), abs=1e-7)
    assert np.abs(parts.tokens.sum(3) - parts.heads).max() < 1e-5
    np.testing.assert_allclose(parts.embedding, tower.encode_images(small.pictures(5)), atol=1e-6)
    assert np.abs(parts.constant).max() > 1e-4, "biases were drawn, so that they have to count"


def test_heads_mlps_and_attention_are_those_of_the_definition(tower):
    picture = small.pictures(1, seed=7)
    parts, maps = tower.decompose(picture), tower.attention(picture)
    with torch.no_grad():
        pixels = tower._preprocessing.normalise(
            tower._preprocessing.unit([tower._preprocessing.pixels(picture[0])])
        )
        heads, mlps, attention = slow_terms(tower._model.visual, pixels)
    tower._model.visual.float()
    np.testing.assert_allclose(parts.heads[0], heads, atol=1e-6)
    np.testing.assert_allclose(parts.mlps[0], mlps, atol=1e-6)
    np.testing.assert_allclose(maps[0], attention, atol=1e-6)


def test_attention_rows_sum_to_one(tower):
    maps = tower.attention(small.pictures(4))
    grid = tower.decompose(small.pictures(1)).grid
    assert maps.shape[-1] == 1 + grid[0] * grid[1]
    assert maps.min() >= 0
    np.testing.assert_allclose(maps.sum(-1), 1, atol=1e-5)


def test_more_pictures_than_one_batch(vit):
    many = small.pictures(70)
    parts = vit.decompose(many)
    assert parts.error < 1e-5
    np.testing.assert_allclose(parts.heads[66], vit.decompose([many[66]]).heads[0], atol=1e-6)


def test_hooks_leave_also_after_a_failure(vit):
    visual = vit._model.visual
    with pytest.raises(RuntimeError, match="channels"):
        decomposition.decompose(visual, torch.zeros(1, 4, 32, 32))
    assert all(not module._forward_hooks for module in visual.modules())
    before = vit.encode_images(small.pictures(2))
    vit.decompose(small.pictures(2))
    assert all(not module._forward_hooks for module in visual.modules())
    np.testing.assert_array_equal(before, vit.encode_images(small.pictures(2)))


REFUSED = {
    "averages": (small.config({"pool_type": "avg"}), "averages its patches"),
    "attention pooling": (small.config({"attentional_pool": True, "attn_pooler_heads": 4}), "one more attention"),
    "own norms": (small.config({"block_type": "custom", "qk_norm": True}), "norms or scales of their own"),
    "ResNet": (small.config({"layers": [1, 1, 1, 1], "width": 16, "head_width": 16}), "ResNet"),
}


@pytest.mark.parametrize("family", REFUSED)
def test_other_towers_refuse_in_a_sentence_known_at_load_time(family, tmp_path):
    model_cfg, sentence = REFUSED[family]
    backend = small.open_folder(small.save(tmp_path, model_cfg))
    assert sentence in backend.card.lacks[Capability.DECOMPOSE]
    for ask in (backend.decompose, backend.attention):
        with pytest.raises(CapabilityError, match=sentence):
            ask(small.pictures(1))


def test_terms_by_token_that_do_not_fit_are_refused(vit, monkeypatch):
    monkeypatch.setattr(device, "available_bytes", lambda where: 1000)
    with pytest.raises(ModelError, match="fewer pictures"):
        vit.decompose(small.pictures(3), by_token=True)
    assert vit.decompose(small.pictures(3)).tokens is None
