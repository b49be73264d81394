"""Two models' answers, label by label: against plain versions, and planted differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes.core.model import no_progress
from probes.zero_shot.comparison import AGAINST, UNLIKE, compare
from probes.zero_shot.science import ZeroShotParams, measure
from tests.fakes import SIDE, PixelBackend, noise, sigmoid_backend

TEMPLATES = ("{}", "a photo of {}", "one {}", "the {}", "my {}", "a {}", "this {}")


def answers(count, *backends):
    params = ZeroShotParams(
        images=tuple(noise(seed) for seed in range(count)), labels=("a cat", "a dog", "a car"), templates=TEMPLATES
    )
    return [measure(params, backend, no_progress) for backend in backends]


def other():
    """A model to which every template of a cat is much like the first picture."""
    like = noise(0).rgb[:SIDE, :SIDE].astype(np.float64) - 120.0
    rng = np.random.default_rng(0)
    texts = [template.replace("{}", "a cat") for template in TEMPLATES]
    return PixelBackend(meanings={text: like + rng.normal(0, 5, like.shape) for text in texts})


def plain_log_odds(result, picture, label):
    """Of the probability of softmax itself, template by template."""
    logits = result.logit_scale * result.cosines[picture] + result.logit_bias
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    return np.log(shares[:, label]) - np.log1p(-shares[:, label])


def test_one_picture_is_compared_over_templates():
    one, two = answers(1, other(), PixelBackend())
    found = {each.what: each for each in compare(one, two)}
    odds = found["log-odds of “a cat”"]
    expected = [plain_log_odds(result, 0, 0).mean() for result in (one, two)]
    assert (odds.first, odds.second) == (pytest.approx(expected[0]), pytest.approx(expected[1]))
    assert odds.difference == pytest.approx(expected[0] - expected[1])
    assert (odds.n, odds.over) == (7, "templates")
    probability = found["probability of “a cat”, mean over templates"]
    assert probability.difference == pytest.approx(float((one.shares - two.shares)[0, :, 0].mean()))
    assert len(found) == 6


def test_what_is_planted_is_found_and_two_like_models_are_not_called_different():
    one, two, three = answers(1, other(), PixelBackend(), PixelBackend())
    planted = next(each for each in compare(one, two) if each.what == "log-odds of “a cat”")
    assert planted.low > 0
    assert planted.p == pytest.approx(2 / 2**7)
    assert all(each.difference == 0 and each.clear is False for each in compare(two, three))


def test_several_pictures_are_compared_over_pictures():
    one, two = answers(8, other(), PixelBackend())
    found = {each.what: each for each in compare(one, two)}
    cat = found["probability of “a cat”"]
    shares = [np.array([a.probability for a in result.answers if a.label == "a cat"]) for result in (one, two)]
    assert cat.difference == pytest.approx((shares[0] - shares[1]).mean())
    assert (cat.n, cat.over) == (8, "pictures")
    odds = [np.mean([plain_log_odds(result, i, 1).mean() for i in range(8)]) for result in (one, two)]
    assert found["log-odds of “a dog”"].difference == pytest.approx(odds[0] - odds[1])
    keep = found["templates that keep the first label"]
    assert keep.first == pytest.approx(np.mean([seen.agreeing / 7 for seen in one.seen]))


def test_two_sigmoid_models_have_their_logits():
    one, two = answers(1, sigmoid_backend(), sigmoid_backend())
    odds = next(each for each in compare(one, two) if each.what == "log-odds of “a cat”")
    assert odds.first == pytest.approx(float((20.0 * one.cosines - 10.0)[0, :, 0].mean()))
    assert odds.note == ""


@pytest.mark.parametrize("count", [1, 8])
def test_a_sigmoid_model_and_a_softmax_model_are_compared_in_what_both_have(count):
    """The same towers: with one scale nothing that is compared may differ, though their probabilities do."""
    one, two = answers(count, sigmoid_backend(), PixelBackend())
    assert one.answers != two.answers
    left_out, *found = compare(one, two)
    assert left_out == UNLIKE
    assert [each.what for each in found[:3]] == [f"log-odds of “{label}”" for label in one.labels]
    assert not [each for each in found if "probability" in each.what]
    assert all(each.difference == pytest.approx(0, abs=1e-9) for each in found)
    odds = [plain_log_odds(one, place, 0).mean() for place in range(count)]
    assert found[0].first == pytest.approx(np.mean(odds))
    assert found[0].note == AGAINST


def test_of_many_labels_those_most_probable_to_either_are_compared():
    params = ZeroShotParams(images=(noise(0),), labels=tuple(f"label {i}" for i in range(40)), templates=TEMPLATES)
    one, two = (measure(params, backend, no_progress) for backend in (PixelBackend(), replace(PixelBackend())))
    named = {each.what for each in compare(one, two)}
    assert len(named) == 20
    assert f"log-odds of “{one.of(0)[0].label}”" in named
