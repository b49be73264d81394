"""Every pair's share against finite differences of the whole towers in float64, and what shares must sum to."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from probes.backend import second_order, written_out
from probes.core.errors import Cancelled, CapabilityError, ClipspectError
from probes.core.model import Capability, no_progress
from probes.core.no_model import NoModel
from probes.core.pictures import Picture
from probes.core.switches import Switches
from tests.backend import small

TEXT = "a photo of two dogs on a red chair"
SHAPES = {
    "plain": small.config(),
    "quick gelu, no norm before, layer scale": small.config(
        {"no_ln_pre": True, "ls_init_value": 0.3}, {"ls_init_value": 0.3}, quick_gelu=True
    ),
    "one head, end of text": small.config({"head_width": 48}, {"pool_type": "eos", "eos_id": 49407}),
    "mean of patches, last token, a bias": small.config(
        {"pool_type": "avg", "final_ln_after_pool": True},
        {"no_causal_mask": True, "pool_type": "last", "proj_bias": True},
        custom_text=True,
    ),
    "class token appended, padding masked": small.config(
        {"image_size": [24, 40]}, {"embed_cls": True, "context_length": 15}, custom_text=True
    ),
}


@pytest.fixture(scope="module", params=SHAPES, ids=list(SHAPES))
def tower(request, tmp_path_factory):
    return lively(small.save(tmp_path_factory.mktemp("tower"), SHAPES[request.param], seed=3))


def lively(folder):
    """A model whose words are as long as a trained model's, next to their positions."""
    backend = small.open_folder(folder)
    with torch.no_grad():
        getattr(backend._model, "text", backend._model).token_embedding.weight.mul_(20)
    return backend


@pytest.fixture
def plain(vit_folder):
    return lively(vit_folder)


def entering(transformer, encode, given):
    """What enters a transformer, (T, w), by the module's own forward pass."""
    seen = []
    hook = transformer.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0][0]))
    with torch.no_grad():
        encode(given)
    hook.remove()
    return seen[0]


def replaced(transformer, encode, given, tokens):
    """Unit embeddings of the whole tower, (n, d), with other tokens (n, T, w) entering its transformer."""

    def put(module, inputs):
        return (tokens, *inputs[1:])

    hook = transformer.register_forward_pre_hook(put)
    with torch.no_grad():
        found = encode(given.expand(len(tokens), *given.shape[1:]))
    hook.remove()
    return F.normalize(found, dim=-1)


def slow_side(transformer, encode, given, reference, steps, nudge=1e-5):
    """Vectors (T, d) of one side by central differences along the path."""
    start, end = (entering(transformer, encode, one) for one in (reference, given))
    each = torch.diag_embed((end - start).T).permute(1, 2, 0)  # (T, T, w): one token's displacement in each
    total = 0
    for step in range(steps):
        point = start + (step + 0.5) / steps * (end - start)
        up, down = (replaced(transformer, encode, given, point + sign * nudge * each) for sign in (1, -1))
        total = total + (up - down) / (2 * nudge) / steps
    return total.numpy()


def slow_image_side(backend, picture, steps):
    visual, preprocessing = backend._model.visual, backend._preprocessing
    colour = np.round(255 * np.array(preprocessing.config.mean)).astype(np.uint8)
    blank = np.broadcast_to(colour, (*preprocessing.size, 3))
    given, grey = preprocessing.normalise(preprocessing.unit([preprocessing.pixels(picture), blank])).double()
    return slow_side(visual.transformer, visual, given[None], grey[None], steps)


def slow_text_side(backend, text, steps):
    model = backend._model
    ids = backend._tokenizer([text])
    words = ids.clone()
    words[(ids != 49406) & (ids != 49407)] = 0
    transformer = getattr(model, "text", model).transformer
    return slow_side(transformer, model.encode_text, ids, words, steps)


def test_every_pair_is_what_finite_differences_say(tower):
    picture = small.pictures(1, seed=5)[0]
    found = second_order.attribute(tower._anatomy, picture, TEXT, steps=2)
    tower._model.double()
    try:
        slow = slow_image_side(tower, picture, 2) @ slow_text_side(tower, TEXT, 2).T
    finally:
        tower._model.float()
    assert np.abs(slow).max() > 1e-3, "there has to be something to compare"
    np.testing.assert_allclose(found.matrix, slow, atol=1e-4 * np.abs(slow).max())
    assert found.grid == tower._model.visual.grid_size
    assert found.matrix.shape[0] == found.prefix + found.grid[0] * found.grid[1]


@pytest.mark.parametrize("seed", range(4))
def test_pairs_sum_to_the_product_of_the_displacements(seed, tmp_path):
    backend = lively(small.save(tmp_path, small.config(), seed=seed))
    picture = small.pictures(1, seed=seed)[0]
    found = second_order.attribute(backend._anatomy, picture, TEXT)
    assert abs(found.total) > 0.01
    assert found.error < 1e-3
    assert found.explained == pytest.approx(found.matrix.sum(), abs=1e-5)
    assert found.error == pytest.approx(abs(found.explained - found.total), abs=1e-6)
    cosine = backend.encode_images([picture]) @ backend.encode_texts([TEXT]).T
    assert found.similarity == pytest.approx(float(cosine[0, 0]), abs=1e-6)


def test_more_steps_come_closer(plain):
    picture = small.pictures(1, seed=5)[0]
    gaps = [second_order.image_side(plain._anatomy, picture, steps).error for steps in (2, 8, 32)]
    assert gaps[0] > 2 * gaps[1] > 4 * gaps[2]
    gaps = [second_order.text_side(plain._anatomy, TEXT, steps).error for steps in (2, 8, 32)]
    assert gaps[0] > 2 * gaps[1] > 4 * gaps[2]


def test_two_halves_give_what_a_pair_gives(tower):
    """Derivatives forward and backward are two routes to the same matrix."""
    anatomy, shown = tower._anatomy, small.pictures(2)
    images = [second_order.image_side(anatomy, picture, 2) for picture in shown]
    half = second_order.text_side(anatomy, TEXT, 2)
    held = list(second_order.against(anatomy, shown, half, 2))
    for image, other in zip(images, held, strict=True):
        whole = second_order.joined(image, half)
        np.testing.assert_allclose(whole.matrix, other.matrix, atol=1e-6)
        assert (whole.similarity, whole.total) == (other.similarity, other.total)
        assert (whole.prefix, whole.grid) == (other.prefix, other.grid)
    pair = second_order.attribute(anatomy, shown[1], TEXT, 2)
    np.testing.assert_array_equal(pair.matrix, held[1].matrix)
    with pytest.raises(TypeError, match="picture"):
        second_order.joined(half, half)


def test_halves_are_what_the_model_encodes(tower):
    picture = small.pictures(1)[0]
    image, text = (
        second_order.image_side(tower._anatomy, picture, 1),
        second_order.text_side(tower._anatomy, TEXT, 1),
    )
    np.testing.assert_allclose(image.embedding, tower.encode_images([picture])[0], atol=1e-6)
    np.testing.assert_allclose(text.embedding, tower.encode_texts([TEXT])[0], atol=1e-6)
    grey = tower.encode_images([Picture("grey", np.full((50, 50, 3), colour(tower)))])[0]
    np.testing.assert_allclose(image.embedding - image.displacement, grey, atol=1e-6)
    assert text.grid is None
    assert text.vectors.shape[1] == image.vectors.shape[1] == tower.card.width


def colour(backend):
    """The reference's colour, (3,) uint8."""
    return np.round(255 * np.array(backend._preprocessing.config.mean)).astype(np.uint8)


def test_only_words_and_patches_get_something(plain):
    found = second_order.attribute(plain._anatomy, small.pictures(1)[0], "a cat sat", 2)
    by_token = np.abs(found.matrix).max(axis=0)
    assert by_token[[0, 4]].max() == 0, "start and end"
    assert by_token[5:].max() == 0, "after the end"
    assert by_token[1:4].min() > 0
    assert np.abs(found.matrix[0]).max() == 0, "the class token"
    np.testing.assert_allclose(found.over_patches([1, 2]).ravel(), found.matrix[1:, 1:3].sum(axis=1))


def test_without_a_mask_tokens_after_the_words_are_kept(tower):
    vectors = second_order.text_side(tower._anatomy, TEXT, 1).vectors
    assert vectors.any(axis=1).tolist() == [1 <= place <= 9 for place in range(len(vectors))]
    assert len(vectors) == tower._anatomy.texts.tokens


def test_what_looks_like_the_reference_gets_nothing(plain):
    rgb = small.pictures(1, sizes=((32, 32),))[0].rgb.copy()
    rgb[:, :16] = colour(plain)
    half = Picture("half grey", rgb)
    for found in (
        second_order.attribute(plain._anatomy, half, TEXT, 2),
        second_order.joined(
            second_order.image_side(plain._anatomy, half, 2), second_order.text_side(plain._anatomy, TEXT, 2)
        ),
    ):
        shares = found.over_patches(range(16))
        assert np.abs(shares[:, :2]).max() == 0
        assert np.abs(shares[:, 2:]).min() > 0


def test_nothing_gets_nothing(plain):
    anatomy, shown = plain._anatomy, small.pictures(1)[0]
    grey = Picture("grey", np.full((32, 32, 3), colour(plain)))
    for picture, text in ((grey, TEXT), (shown, ""), (grey, "")):
        pair = second_order.attribute(anatomy, picture, text, 2)
        halves = second_order.image_side(anatomy, picture, 2), second_order.text_side(anatomy, text, 2)
        for found in (pair, second_order.joined(*halves)):
            assert np.abs(found.matrix).max() == 0
            assert found.error == abs(found.total) < 1e-6


class Linear:
    """Stands in for a tower that is linear: f(x) = sum_i M_i x_i."""

    def __init__(self, matrices):
        self.matrices = matrices  # (T, w, d)

    def __call__(self, tokens):
        return torch.einsum("tw,twd->d", tokens, self.matrices)

    def at_once(self, length):
        return 3


def test_linear_towers_give_their_bilinear_form_with_a_single_step():
    generator = torch.Generator().manual_seed(0)
    halves, exact = [], []
    for tokens, grid in ((5, (2, 2)), (4, None)):
        matrices, start, end = (
            torch.randn(shape, generator=generator) for shape in ((tokens, 6, 3), (tokens, 6), (tokens, 6))
        )
        path = second_order._Path(Linear(matrices), start, end, tokens, threading.Lock(), 1, grid)
        halves.append(path.side(1, no_progress))
        exact.append(np.einsum("tw,twd->td", end - start, matrices))
    found = second_order.joined(*halves)
    np.testing.assert_allclose(found.matrix, exact[0] @ exact[1].T, atol=1e-4)
    assert found.error < 1e-4
    with pytest.raises(ValueError, match="0 points"):
        path.side(0, no_progress)


def test_room_for_few_derivatives_suffices(plain, monkeypatch):
    anatomy, picture = plain._anatomy, small.pictures(1)[0]
    image, pair = (
        second_order.image_side(anatomy, picture, 2),
        second_order.attribute(anatomy, picture, "a cat", 2),
    )
    monkeypatch.setattr(written_out, "ROOM", 4 * 17 * 192 * 5)  # of the image tower's tokens and MLP
    found = second_order.image_side(anatomy, picture, 2)
    np.testing.assert_allclose(found.vectors, image.vectors, atol=1e-6)
    monkeypatch.setattr(written_out, "ROOM", 1)
    found = second_order.attribute(anatomy, picture, "a cat", 2)
    np.testing.assert_allclose(found.matrix, pair.matrix, atol=1e-6)


def test_the_model_is_left_as_it_was(plain):
    shown = small.pictures(2)
    before = plain.encode_images(shown), plain.encode_texts([TEXT])
    found = second_order.attribute(plain._anatomy, shown[0], TEXT, 2)
    with torch.inference_mode():
        again = second_order.attribute(plain._anatomy, shown[0], TEXT, 2)
    np.testing.assert_array_equal(found.matrix, again.matrix)
    second_order.image_side(plain._anatomy, shown[0], 2)
    plain._memory.clear()
    np.testing.assert_array_equal(plain.encode_images(shown), before[0])
    np.testing.assert_array_equal(plain.encode_texts([TEXT]), before[1])
    assert all(not weight.requires_grad and weight.grad is None for weight in plain._model.parameters())
    assert not plain._model.training
    hooks = ("_forward_hooks", "_forward_pre_hooks")
    assert not any(getattr(module, kind) for module in plain._model.modules() for kind in hooks)
    assert not plain._anatomy.lock.locked()


def test_others_hooks_do_not_mix_in(plain):
    """Attribution and decomposition of several threads, each as if alone."""
    shown, anatomy = small.pictures(3), plain._anatomy
    alone = second_order.image_side(anatomy, shown[0], 6).vectors, plain.decompose(shown).outputs
    with ThreadPoolExecutor(4) as pool:
        sides = [pool.submit(second_order.image_side, anatomy, shown[0], 6) for _ in range(2)]
        parts = [pool.submit(plain.decompose, shown) for _ in range(20)]
        for side in sides:
            np.testing.assert_array_equal(side.result().vectors, alone[0])
        for part in parts:
            np.testing.assert_array_equal(part.result().outputs, alone[1])


def test_progress_is_told_and_may_cancel(plain):
    told = []
    text = second_order.text_side(plain._anatomy, TEXT, 4)
    list(second_order.against(plain._anatomy, small.pictures(2), text, 4, lambda share, doing: told.append(share)))
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(told) > 4

    def cancel(share, doing):
        raise Cancelled

    with pytest.raises(Cancelled):
        second_order.image_side(plain._anatomy, small.pictures(1)[0], 4, cancel)
    assert not plain._anatomy.lock.locked()


TIMM = {"timm_model_name": "convnext_atto", "timm_model_pretrained": False, "timm_pool": "avg", "image_size": 32}
REFUSED = {
    "ResNet": (small.config({"layers": [1, 1, 1, 1], "width": 16, "head_width": 16}), "ends in a pooling layer"),
    "timm": ({"embed_dim": 24, "vision_cfg": {**TIMM, "timm_proj": "linear"}, "text_cfg": small.TEXT}, "timm's"),
    "CoCa's pooling": (
        small.config({"attentional_pool": True, "attn_pooler_heads": 4}),
        "ends in a pooling layer",
    ),
    "averages": (small.config({"pool_type": "avg"}), "averages its patches after norming each"),
    "own norms of texts": (small.config(text={"block_type": "custom", "qk_norm": True}), "of its text tower"),
}


@pytest.mark.parametrize("family", REFUSED)
def test_other_towers_refuse_in_a_sentence(family, tmp_path):
    model_cfg, sentence = REFUSED[family]
    anatomy = small.open_folder(small.save(tmp_path, model_cfg))._anatomy
    picture, half = small.pictures(1)[0], None
    assert sentence in second_order.why_not(anatomy.images, anatomy.texts)
    for ask in (
        lambda: second_order.attribute(anatomy, picture, TEXT),
        lambda: second_order.image_side(anatomy, picture),
        lambda: second_order.text_side(anatomy, TEXT),
        lambda: second_order.against(anatomy, [picture], half),
    ):
        with pytest.raises(CapabilityError, match=sentence):
            ask()


def test_towers_that_can_be_attributed_say_so(tower):
    assert second_order.why_not(tower._anatomy.images, tower._anatomy.texts) is None


def test_contributions_are_the_attributions_summed_over_patches(tower):
    """Though nothing is differentiated in the pictures; with them the sums come close as the points grow."""
    shown = small.pictures(3)
    found = tower.contributions(shown, TEXT)
    pairs = list(tower.attribute(shown, TEXT))
    for row, pair in enumerate(pairs):
        summed = pair.matrix.sum(axis=0)
        np.testing.assert_allclose(found.matrix[row], summed, atol=0.02 * np.abs(found.matrix).max())
        assert found.similarity[row] == pytest.approx(pair.similarity, abs=1e-5)
        assert found.total[row] == pytest.approx(pair.total, abs=1e-5)
    lacking = found.matrix.sum(axis=1) - found.total
    assert found.error == pytest.approx(np.abs(lacking).max(), abs=1e-6)
    assert found.error < 1e-3
    np.testing.assert_allclose(
        found.similarity, tower.encode_images(shown) @ tower.encode_texts([TEXT])[0], atol=1e-5
    )
    assert tower.contributions([], TEXT).matrix.shape == (0, found.matrix.shape[1])


def test_a_text_is_differentiated_once(plain, monkeypatch):
    shown = small.pictures(2)
    first, pair = plain.contributions(shown, TEXT), next(plain.attribute(shown, TEXT))

    def refuse(*args, **named):
        raise AssertionError

    monkeypatch.setattr(second_order, "text_side", refuse)
    np.testing.assert_array_equal(plain.contributions(shown, TEXT).matrix, first.matrix)
    again = next(plain.attribute(shown, TEXT))
    np.testing.assert_array_equal(again.matrix, pair.matrix)
    assert (again.total, again.error) == (pair.total, pair.error)


def test_attribution_is_in_float32_whatever_the_model_encodes_in(vit_folder):
    exact, rough = small.open_folder(vit_folder), small.open_folder(vit_folder, "bfloat16")
    shown = small.pictures(3)
    assert np.abs(exact.encode_images(shown) - rough.encode_images(shown)).max() > 1e-4
    one, other = (model.contributions(shown, TEXT) for model in (exact, rough))
    np.testing.assert_allclose(one.matrix, other.matrix, atol=1e-6)
    np.testing.assert_allclose(one.similarity, other.similarity, atol=1e-6)
    pairs = [next(model.attribute(shown, TEXT)) for model in (exact, rough)]
    np.testing.assert_allclose(pairs[0].matrix, pairs[1].matrix, atol=1e-6)


def test_what_cannot_be_attributed_says_so_on_its_card(tmp_path, plain):
    shown = small.pictures(2)
    averages = small.open_folder(small.save(tmp_path, REFUSED["averages"][0]))
    off = plain.without(Switches.parse("L1H2"), shown)
    assert plain.card.can(Capability.ATTRIBUTE)
    for model, sentence in ((averages, "averages its patches"), (off, "switched off"), (NoModel(), "from files")):
        assert sentence in model.card.lacks[Capability.ATTRIBUTE]
        for ask in (model.attribute, model.contributions):
            with pytest.raises(ClipspectError, match=sentence):
                ask(shown, TEXT)
