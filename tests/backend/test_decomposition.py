"""The parts sum to the whole; each part is what a slow version of it, written out in float64, says it is."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from probes.backend import decomposition, device
from probes.backend.readers import Wish
from probes.core.decomposition import joined
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
    "mean of patches": small.config({"pool_type": "avg", "final_ln_after_pool": True, "no_ln_pre": True}),
    "other epsilon": small.config({"norm_kwargs": {"eps": 1e-2}}),
}


@pytest.fixture(scope="module", params=SHAPES, ids=list(SHAPES))
def tower(request, tmp_path_factory):
    return small.open_folder(small.save(tmp_path_factory.mktemp("tower"), SHAPES[request.param], seed=3))


def slow_terms(visual, pixels):
    """Heads (L, H, d), MLPs (L, d) and attention (L, H, T) of one picture, straight from the definition."""
    visual = visual.double()
    x = visual._embeds(pixels.double())[0]

    def at(rows):  # what is read: the class token, or the mean of the patches
        return rows[1:].mean(0) if visual.pool_type == "avg" else rows[0]

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
            rows.append(at(a))
        heads.append(torch.stack([at(term) for term in layer]))
        maps.append(torch.stack(rows))
        x = x + sum(layer) + block.ls_1(block.attn.out_proj.bias)
        mlp = block.ls_2(block.mlp(block.ln_2(x)))
        mlps.append(at(mlp))
        x = x + mlp
    whole = at(x)
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
    np.testing.assert_allclose(parts.total(), total, atol=1e-6)
    assert parts.error == pytest.approx(np.abs(total - parts.embedding).max(), abs=1e-6)
    assert np.abs(parts.by_token.sum(3) - parts.outputs).max() < 1e-5
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


def test_effects_are_terms_times_directions(tower):
    parts = tower.decompose(small.pictures(3), by_token=True)
    texts = tower.encode_texts(["a cat", "a dog"])
    effects = parts.effects(texts)
    np.testing.assert_allclose(effects, np.einsum("nlhd,md->nmlh", parts.heads, texts), atol=1e-6)
    np.testing.assert_allclose(parts.token_effects(texts).sum(-1), effects, atol=1e-5)
    np.testing.assert_allclose(parts.head(0, 0), parts.heads[:, 0, 0], atol=1e-6)
    with pytest.raises(ValueError, match="by_token=True"):
        tower.decompose(small.pictures(1)).token_effects(texts)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_head_without_its_output_weights_writes_nothing_and_the_last_layers_leave_the_rest_alone(vit, layer):
    """The second route: take a head's output weights away, and see what the residual stream lacks."""
    visual, pictures = vit._model.visual, small.pictures(3)
    [pixels] = vit._anatomy.batches(pictures, lambda share, doing: None, "")
    reader = vit._anatomy.images
    last = len(reader.layers) - 1
    with reader.tracing(Wish()) as before, torch.inference_mode():
        visual(pixels)
    weight = visual.transformer.resblocks[layer].attn.out_proj.weight
    written = before.outputs[layer][:, 1] @ weight[:, 16:32].T
    kept = weight.detach().clone()
    with torch.no_grad():
        weight[:, 16:32] = 0
    with reader.tracing(Wish()) as after, torch.inference_mode():
        visual(pixels)
    without = vit.decompose(pictures)
    with torch.no_grad():
        weight.copy_(kept)
    assert without.error < 1e-5
    lost = before.whole - after.whole
    if layer == last:  # its MLP still follows, and answers
        lost = lost - (before.mlps[layer] - after.mlps[layer])
        np.testing.assert_allclose(lost, written, atol=1e-5)
    else:
        assert float((lost - written).abs().max()) > 1e-3
    assert float(written.abs().max()) > 1e-2


TEXT_SHAPES = {
    "plain": small.config(),
    "no mask, last token, a bias": small.config(
        text={"no_causal_mask": True, "pool_type": "last", "proj_bias": True}, custom_text=True
    ),
    "first token": small.config(text={"no_causal_mask": True, "pool_type": "first"}, custom_text=True),
    "end of text": small.config(text={"pool_type": "eos", "eos_id": 49407}, custom_text=True),
    "end of text, plain": small.config(text={"pool_type": "eos", "eos_id": 49407}),
    "layer scale": small.config(text={"ls_init_value": 0.3}),
    "class token appended": small.config(
        {"attentional_pool": True, "attn_pooler_heads": 2, "output_tokens": True},
        {"embed_cls": True, "output_tokens": True, "context_length": 15},
        custom_text=True,
        multimodal_cfg={"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    ),
}
TEXTS = ["a cat", "a photo of two dogs on a red chair", "dog " * 40]


@pytest.mark.parametrize("kind", TEXT_SHAPES)
def test_text_embeddings_are_sums_too(kind, tmp_path):
    tower = small.open_folder(small.save(tmp_path, TEXT_SHAPES[kind], seed=4))
    parts = tower.decompose_texts(TEXTS, by_token=True)
    assert parts.error < 1e-5
    total = parts.heads.sum((1, 2)) + parts.mlps.sum(1) + parts.initial + parts.constant
    np.testing.assert_allclose(total, tower.encode_texts(TEXTS), atol=1e-5)
    assert np.abs(parts.by_token.sum(3) - parts.outputs).max() < 1e-5
    assert parts.grid is None


def test_a_text_never_reads_what_comes_after_its_end(vit):
    """Under the causal mask the end token reads nothing behind it."""
    parts = vit.decompose_texts(["a cat"], by_token=True)
    [cut] = vit.tokens(["a cat"])
    end = len(cut.pieces) + 1
    assert np.abs(parts.by_token[0, :, :, end + 1 :]).max() == 0
    assert np.abs(parts.by_token[0, :, :, : end + 1]).max() > 0


def test_many_pictures_come_in_batches(vit):
    many = small.pictures(70)
    each = list(vit.decompose_each(many))
    assert [len(part.embedding) for part in each] == [32, 32, 6]
    assert all(part.writes is each[0].writes for part in each)
    together = vit.decompose(many)
    np.testing.assert_array_equal(joined(each).outputs, together.outputs)
    with pytest.raises(ValueError, match="nothing"):
        joined([])


def test_two_at_once_do_not_mix(vit):
    """Pictures and texts of two threads, each as if alone."""
    shown, many = small.pictures(64), TEXTS * 20
    alone = vit.decompose(shown).outputs, vit.decompose_texts(many).outputs
    with ThreadPoolExecutor(4) as pool:
        both = ((vit.decompose, shown), (vit.decompose_texts, many)) * 2
        asked = [pool.submit(ask, given) for ask, given in both]
        encoded = pool.submit(vit.encode_images, shown).result()
        answers = [future.result().outputs for future in asked]
    for k, answer in enumerate(answers):
        np.testing.assert_array_equal(answer, alone[k % 2])
    np.testing.assert_allclose(encoded, vit.decompose(shown).embedding, atol=1e-6)


def test_hooks_leave_also_after_a_failure(vit):
    visual = vit._model.visual
    with pytest.raises(RuntimeError, match="channels"):
        decomposition.decompose(vit._anatomy.images, lambda: visual(torch.zeros(1, 4, 32, 32)))
    hooks = ("_forward_hooks", "_forward_pre_hooks")
    assert not any(getattr(module, kind) for module in visual.modules() for kind in hooks)
    before = vit.encode_images(small.pictures(2))
    vit.decompose(small.pictures(2))
    vit.decompose_texts(TEXTS)
    assert not any(getattr(module, kind) for module in vit._model.modules() for kind in hooks)
    np.testing.assert_array_equal(before, vit.encode_images(small.pictures(2)))


REFUSED = {
    "averages": (small.config({"pool_type": "avg"}), "averages its patches after norming each"),
    "two poolings": (
        small.config({"attentional_pool": "parallel", "attn_pooler_heads": 4}),
        "two attention",
    ),
    "own norms": (small.config({"block_type": "custom", "qk_norm": True}), "norms or scales of their own"),
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
    assert vit.decompose(small.pictures(3)).by_token is None
