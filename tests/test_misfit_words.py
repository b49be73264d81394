"""The check of misfit words: its captions have one word wrong, and its scores are what they are called."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from assets.world.scene import GROUNDS, TEXTURES, TINTS
from probes import misfit_words
from probes.misfit_words import KINDS, Measured, auc, called, captioned, lowest
from probes.stage import open_stage


@pytest.fixture(scope="module")
def asked():
    return captioned(30, 5)


def test_one_word_is_wrong_and_the_others_are_not(asked):
    stage = open_stage("held-out")
    for number, one in enumerate(asked):
        scene, shown = misfit_words._dealt(stage, 5, number)
        assert scene.ground == shown[2]
        assert scene.things[0].tint == shown[0]
        assert one.wrong == number % 3
        differing = [k for k in range(3) if one.words[k] != shown[k]]
        assert differing == [one.wrong]
        assert one.words[one.wrong] not in shown


def test_places_are_those_of_the_words(asked):
    for one in asked:
        written = one.caption.split()
        assert tuple(written[place] for place in one.places) == one.words
        assert one.caption.startswith(("a photo of a ", "a photo of an "))
        assert one.words[0] in TINTS
        assert one.words[2] in {**GROUNDS, **TEXTURES}


def test_dealing_is_repeatable_and_goes_by_the_seed(asked):
    again, other = captioned(30, 5), captioned(30, 6)
    assert [one.caption for one in again] == [one.caption for one in asked]
    assert [one.picture.digest for one in again] == [one.picture.digest for one in asked]
    assert [one.caption for one in other] != [one.caption for one in asked]


def made(scores):
    wrong = np.arange(60)[:, None] % 3 == np.arange(3)
    no = np.zeros((60, 3), bool)
    return Measured(wrong, {"score": scores(wrong)}, wrong, no)


def test_a_perfect_score_and_one_by_chance():
    perfect = made(lambda wrong: np.where(wrong, -1.0, 1.0))
    assert lowest(perfect, "score").value == auc(perfect, "score").value == 1.0
    assert auc(perfect, "score", kind=1).value == 1.0
    rng = np.random.default_rng(0)
    chance = made(lambda wrong: rng.normal(size=wrong.shape))
    for found, expected in ((lowest(chance, "score"), 1 / 3), (auc(chance, "score"), 1 / 2)):
        assert found.interval.low < expected < found.interval.high
        assert found.n == 60
    upside_down = made(lambda wrong: np.where(wrong, 1.0, -1.0))
    assert lowest(upside_down, "score").value == auc(upside_down, "score").value == 0.0


@pytest.mark.parametrize("kind", [None, 2])
def test_auc_is_scikit_learns_ties_and_all(kind):
    rng = np.random.default_rng(1)
    found = made(lambda wrong: rng.integers(0, 5, wrong.shape) - 1.0 * wrong)
    columns = slice(None) if kind is None else [kind]
    expected = roc_auc_score(~found.wrong[:, columns].ravel(), found.scores["score"][:, columns].ravel())
    told = auc(found, "score", kind)
    assert told.value == pytest.approx(expected)
    assert told.interval.low < expected < told.interval.high


def test_shares_that_are_called():
    of_wrong, of_right = called(made(lambda wrong: wrong * 1.0), made(lambda wrong: wrong * 1.0).misfit)
    assert (of_wrong.value, of_wrong.n, of_right.value, of_right.n) == (1.0, 60, 0.0, 120)


@pytest.mark.slow
def test_the_command_tells_what_it_measured(capsys):
    assert misfit_words.main(["--captions", "6", "--others", "20", "--models", "bundled:balanced"]) == 0
    said = capsys.readouterr().out
    assert "bundled:balanced: 6 captions, 20 other pictures, seed 1" in said
    assert all(name in said for name in ("contribution", "left out, score", "called misfit", *KINDS))
