"""Words of a caption: what they add sums to what the model says, and planted misfits are called, others not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy import stats

from probes.attention_heads.word_fit import judged
from probes.attention_heads.words import FUNCTION_WORDS, WordsResult, cut, misfits
from probes.backend import load
from probes.core.attribution import Attribution, Contributions
from probes.core.errors import CapabilityError, FieldError
from probes.core.model import Capability, Tokens, no_progress
from probes.misfit_words import auc, captioned, measure
from probes.usual_pictures import usual_pictures
from tests.backend import small
from tests.fakes import CARD, PixelBackend, noise

ABLE = replace(CARD, lacks={kind: why for kind, why in CARD.lacks.items() if kind != Capability.ATTRIBUTE})
CAPTION = "a red dog on snow"
PICTURE, OTHERS = noise(0), [noise(seed) for seed in range(1, 101)]


@dataclass
class ByHand(PixelBackend):
    """A backend whose attributions were written down.

    Attributes:
        added: what each word adds to each picture's similarity, picture by picture name, without start and end.
        short: most pieces that are kept.
    """

    card: object = ABLE
    added: dict = field(default_factory=dict)
    short: int = 8

    def tokens(self, texts):
        """Words are cut after their fourth letter; nothing is left of a dash."""
        found = []
        for text in texts:
            pieces = [w[i : i + 4] for w in text.split() if w != "-" for i in range(0, len(w), 4)]
            found.append(Tokens(text, tuple(pieces[: self.short]), max(0, len(pieces) - self.short)))
        return tuple(found)

    def contributions(self, pictures, text, progress=no_progress):
        matrix = np.array([[0, *self.added[one.name], 0, 0] for one in pictures], np.float32)
        return Contributions(matrix, matrix.sum(1) + 0.25, matrix.sum(1) - 0.001, 0.001)

    def attribute(self, pictures, text, progress=no_progress):
        for one in pictures:
            row = np.array([0, *self.added[one.name], 0, 0], np.float32)
            shares = np.array([0, 0.5, 0.25, 0.25, 0, 0, 0], np.float32)  # a class token and 2 x 3 patches
            yield Attribution(shares[:, None] * row, 1, (2, 3), float(row.sum()) + 0.25, float(row.sum()), 0.0)


def by_hand(here, spread=0.02, mean=0.0, seed=0):
    """A backend in which words add `here` to PICTURE, and about `mean` to others."""
    rng = np.random.default_rng(seed)
    usual = {one.name: mean + spread * rng.normal(size=len(here)) for one in OTHERS}
    return ByHand(added={PICTURE.name: np.asarray(here, float), **usual})


def test_a_planted_misfit_is_called_and_nothing_else():
    found = misfits(by_hand([0.0, -0.3, 0.3, 0.0, 0.01]), PICTURE, CAPTION, OTHERS)
    assert [row.word for row in found.rows] == CAPTION.split()
    assert [row.misfit for row in found.rows] == [False, True, False, False, False]
    assert [row.fits for row in found.rows] == [False, False, True, False, False]
    assert [row.function_word for row in found.rows] == [True, False, False, True, False]
    assert found.misfits == (found.rows[1],)
    assert "added by “dog”; called misfits: “red”." in found.headline()


def test_without_a_plant_nothing_is_called():
    found = misfits(by_hand([0.0, 0.01, 0.02, -0.01, 0.0]), PICTURE, CAPTION, OTHERS)
    assert not found.misfits
    assert not any(row.fits for row in found.rows)
    assert "is added by no word; called misfits: none." in found.headline()


def test_less_than_nothing_is_no_misfit_where_it_is_more_than_elsewhere():
    """A word that takes away nearly everywhere, and here hardly, fits."""
    found = misfits(by_hand([0.0, -0.1, 0.3, 0.0, 0.0], mean=-0.3), PICTURE, CAPTION, OTHERS)
    assert found.rows[1].fits
    assert not found.rows[1].misfit


def test_clearly_less_than_elsewhere_is_a_misfit_though_it_adds():
    row = misfits(by_hand([0.0, 0.1, 0.3, 0.0, 0.3], mean=0.3), PICTURE, CAPTION, OTHERS).rows[1]
    assert row.misfit
    assert row.contribution > 0


def test_function_words_are_never_called():
    found = misfits(by_hand([-0.5, 0.0, 0.0, 0.5, 0.0]), PICTURE, CAPTION, OTHERS)
    assert found.rows[0].p_adjusted < 0.05
    assert found.rows[3].p_fits_adjusted < 0.05
    assert not any(row.misfit or row.fits for row in found.rows)
    assert any("function word" in told for told in found.warnings())
    assert {"a", "of", "the"} <= FUNCTION_WORDS


def test_numbers_are_what_a_short_version_says():
    backend = by_hand([0.01, -0.02, 0.03, 0.0, 0.05], mean=0.01)
    found = misfits(backend, PICTURE, CAPTION, OTHERS, seed=4)
    rest = np.array([np.float32(backend.added[one.name]) for one in OTHERS], np.float64)
    here = np.float32(backend.added[PICTURE.name]).astype(np.float64)
    low = [(1 + sum(value <= own for value in rest[:, k])) / 101 for k, own in enumerate(here)]
    high = [(1 + sum(value >= own for value in rest[:, k])) / 101 for k, own in enumerate(here)]
    np.testing.assert_allclose([row.contribution for row in found.rows], here, atol=1e-7)
    np.testing.assert_allclose([row.others_mean for row in found.rows], rest.mean(0), atol=1e-7)
    np.testing.assert_allclose([row.score for row in found.rows], (here - rest.mean(0)) / rest.std(0, ddof=1))
    assert [row.p for row in found.rows] == low
    assert [row.p_fits for row in found.rows] == high
    np.testing.assert_allclose([row.p_adjusted for row in found.rows], stats.false_discovery_control(low))
    assert all(row.score_low < row.score < row.score_high and row.others == 100 for row in found.rows)
    # the slope of a score in its mean and deviation gives its standard error (delta method)
    error = [np.sqrt((1 + row.score**2 / 2) / 100) for row in found.rows]
    wide = [(row.score_high - row.score_low) / 3.92 for row in found.rows]
    np.testing.assert_allclose(wide, error, rtol=0.35)


def test_the_account_adds_up():
    found = misfits(by_hand([0.1, -0.2, 0.3, 0.0, 0.05]), PICTURE, CAPTION, OTHERS)
    account = found.account
    assert account.words == pytest.approx(sum(row.contribution for row in found.rows))
    assert account.words + account.references == pytest.approx(account.similarity, abs=account.error + 1e-6)
    np.testing.assert_allclose(found.maps.sum((1, 2)), [row.contribution for row in found.rows], atol=1e-6)
    assert account.map_error < 1e-6
    np.testing.assert_allclose(found.maps[1], [[-0.1, -0.05, -0.05], [0, 0, 0]], atol=1e-6)


def test_by_how_much_the_similarity_rises_without_a_word():
    backend = by_hand([0.0, -0.3, 0.3, 0.0, 0.0])
    found = misfits(backend, PICTURE, CAPTION, OTHERS)
    (own,) = backend.encode_images([PICTURE]).astype(np.float64)
    whole, without = backend.encode_texts([CAPTION, "a dog on snow"]).astype(np.float64) @ own
    assert found.rows[1].without == pytest.approx(without - whole)


def test_pieces_of_a_word_are_taken_together_and_what_is_lost_is_told():
    backend = ByHand(added={one.name: np.arange(1.0, 9.0) for one in (PICTURE, *OTHERS)})
    words = cut(backend, "a honeybee - on snowfall")
    assert [(word.text, word.tokens) for word in words] == [
        ("a", (1,)), ("honeybee", (2, 3)), ("on", (4,)), ("snowfall", (5, 6))
    ]  # fmt: skip
    found = misfits(backend, PICTURE, "a honeybee - on snowfall today and yesterday", OTHERS)
    assert [row.word for row in found.rows] == ["a", "honeybee", "on", "snowfall", "today"]
    assert found.rows[1].contribution == pytest.approx(2 + 3)
    assert [row.score for row in found.rows] == [0.0] * 5, "nothing differs between pictures"
    assert [row.p for row in found.rows] == [1.0] * 5
    assert found.dropped == 4
    assert any("4 tokens" in told for told in found.warnings())
    assert [row.without for row in found.rows] == [None] * 5, "a dash has no piece"


def test_where_the_tokenizer_joins_words_its_pieces_are_the_words():
    class Joining(ByHand):
        def tokens(self, texts):
            return tuple(Tokens(text, ("ice cream",) if text == "ice cream" else tuple(text.split()), 0, 0)
                         for text in texts)  # fmt: skip

    assert [(word.text, word.tokens) for word in cut(Joining(), "ice cream")] == [("ice cream", (0,))]


def test_it_refuses_in_a_sentence():
    backend = by_hand([0.0, 0.0, 0.0, 0.0, 0.0])
    for caption in ("", "  ", "-"):
        with pytest.raises(FieldError, match="one word"):
            misfits(backend, PICTURE, caption, OTHERS)
    with pytest.raises(FieldError, match="5 other pictures or more are needed; 4 given"):
        misfits(backend, PICTURE, CAPTION, [PICTURE, *OTHERS[:4], PICTURE])
    assert misfits(backend, PICTURE, CAPTION, [PICTURE, *OTHERS[:5]]).rows[0].others == 5
    with pytest.raises(CapabilityError, match="no patches"):
        misfits(PixelBackend(), PICTURE, CAPTION, OTHERS)


def test_too_few_pictures_to_call_anything_are_told():
    backend = by_hand([0.0, 0.0, 0.0, 0.0, 0.0])
    told = misfits(backend, PICTURE, CAPTION, OTHERS[:24]).warnings()
    assert any("24 other pictures no single word" in one for one in told)
    assert not any("no single word" in one for one in misfits(backend, PICTURE, CAPTION, OTHERS).warnings())


def test_a_result_survives_json():
    found = misfits(by_hand([0.0, -0.3, 0.3, 0.0, 0.01]), PICTURE, CAPTION, OTHERS)
    adapter = TypeAdapter(WordsResult)
    again = adapter.validate_json(adapter.dump_json(found))
    assert again.rows == found.rows
    assert again.account == found.account
    np.testing.assert_array_equal(again.maps, found.maps)
    assert again.headline() == found.headline()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 12))
def test_ranks_are_valid(seed, n):
    """Whatever is one more of the others is called at most as often as it should be: ranks are uniform."""
    added = np.random.default_rng(seed).standard_t(2, size=(n + 1, 1))
    ranks = [judged(["w"], np.roll(added, k, axis=0), [None], [False], 0)[0].p for k in range(n + 1)]
    np.testing.assert_allclose(sorted(ranks), np.arange(1, n + 2) / (n + 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["a", "honeybee", "dog,", "red", "zyxwvu", "don't", "(x)", "é"]), min_size=1))
def test_words_hold_all_pieces_of_the_caption_in_order(words):
    clip = model()
    caption = " ".join(words)
    found = cut(clip, caption)
    (cut_up,) = clip.tokens([caption])
    tokens = [token for word in found for token in word.tokens]
    assert tokens == list(range(1, 1 + len(cut_up.pieces)))
    assert [word.text for word in found] == words[: len(found)]
    if not cut_up.dropped:
        assert len(found) == len(words)
        for word in found:
            joined = "".join(cut_up.pieces[token - 1] for token in word.tokens)
            assert joined == word.text or "é" in word.text


def model():
    return load("bundled:skewed", precision="float32")


def test_on_a_random_model_words_sum_to_the_models_own_cosine(tmp_path):
    clip = small.open_folder(small.save(tmp_path, small.config(), seed=3))
    shown = small.pictures(8)
    found = misfits(clip, shown[0], "two dogs beside a red honeybee", shown[1:])
    cosine = float(clip.encode_images(shown[:1])[0] @ clip.encode_texts(["two dogs beside a red honeybee"])[0])
    account = found.account
    assert account.similarity == pytest.approx(cosine, abs=1e-6)
    assert account.words == pytest.approx(sum(row.contribution for row in found.rows), abs=1e-9)
    assert account.words + account.references == pytest.approx(cosine, abs=account.error + 1e-6)
    assert account.error < 1e-3
    assert account.map_error < 2e-3
    assert found.maps.shape == (6, 4, 4)


@pytest.mark.slow
def test_on_a_bundled_model_words_sum_to_the_cosine_and_misfits_are_told_better_than_by_chance():
    asked, others = captioned(12, 0), usual_pictures()[:100]
    measured = measure(model(), asked, others, 0)
    assert auc(measured, "contribution").value > 0.6
    found = misfits(model(), asked[0].picture, asked[0].caption, others)
    assert found.account.error < 2e-3
    assert found.account.map_error < 5e-3
    assert found.maps.shape == (len(asked[0].caption.split()), 6, 6)
