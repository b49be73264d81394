"""Zero-shot: short independent versions, planted meanings, and what one template cannot say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from probes import zero_shot
from probes.core.model import probabilities
from probes.core.probe import run
from probes.zero_shot.science import ZeroShotParams, lead, template_intervals
from tests.fakes import CARD, PixelBackend, noise, sigmoid_backend

PROBE = zero_shot.PROBE
PICTURE = noise(3)
VIEW = PixelBackend()._view(PICTURE) / 120.0 - 1.0
BACKEND = PixelBackend({"planted": VIEW})
PARAMS = ZeroShotParams(images=(PICTURE,), labels=("planted", "one", "two"))


def test_a_planted_meaning_comes_first_in_every_template():
    result = run(PROBE, PARAMS, BACKEND).result
    best = result.of(0)[0]
    assert best.label == "planted"
    assert result.seen[0].agreeing == len(PARAMS.templates)
    assert result.headline().startswith("“planted”: ")
    assert best.probability_low <= best.probability <= best.probability_high


def by_hand(backend, params):
    """Radford's ensemble in float64, one label at a time."""
    image = backend.encode_images(params.images)[0].astype(np.float64)
    logits = []
    for label in params.labels:
        mean = np.mean([backend.encode_texts([t.replace("{}", label)])[0] for t in params.templates], axis=0)
        logits.append(CARD.logit_scale * image @ (mean / np.linalg.norm(mean)) + backend.card.logit_bias)
    return np.array(logits)


def test_probabilities_equal_an_independent_ensemble():
    result = run(PROBE, PARAMS, BACKEND).result
    logits = by_hand(BACKEND, PARAMS)
    shares = np.exp(logits) / np.exp(logits).sum()
    assert [a.probability for a in result.answers] == pytest.approx(list(shares), abs=1e-5)
    assert [a.cosine * CARD.logit_scale for a in result.answers] == pytest.approx(list(logits), abs=1e-4)


def test_a_sigmoid_model_judges_each_label_by_itself():
    backend = sigmoid_backend(bias=-2.0)
    result = run(PROBE, PARAMS, backend).result
    assert [a.probability for a in result.answers] == pytest.approx(
        list(expit(by_hand(backend, PARAMS))), abs=1e-5
    )


def test_mean_of_probabilities_is_the_mean_of_each_templates():
    result = run(PROBE, replace(PARAMS, average="probabilities"), BACKEND).result
    assert [a.probability for a in result.answers] == pytest.approx(list(result.shares[0].mean(axis=0)))


def test_probabilities_of_a_softmax_sum_to_one_and_least_and_most_enclose():
    result = run(PROBE, replace(PARAMS, images=(PICTURE, noise(4))), BACKEND).result
    for i in range(2):
        assert sum(a.probability for a in result.of(i)) == pytest.approx(1.0)
    assert result.shares.sum(axis=-1) == pytest.approx(np.ones((2, len(PARAMS.templates))))
    for answer in result.answers:
        assert answer.probability_least <= answer.probability_most
        assert answer.cosine_least <= answer.cosine_most


def test_one_template_has_no_interval_and_says_so():
    result = run(PROBE, replace(PARAMS, templates=("{}",)), BACKEND).result
    assert result.of(0)[0].probability_low is None
    assert result.seen[0].lead.interval is None
    assert result.seen[0].lead.p is None
    assert "no interval from one template" in result.headline()


def test_templates_that_agree_exactly_leave_no_width():
    cosines = np.tile(np.array([0.3, 0.1]), (1, 4, 1))
    low, high = template_intervals(CARD, cosines, np.ones((2, 4, 4)), "embeddings", seed=0)
    assert low == pytest.approx(high)
    assert low[0] == pytest.approx(probabilities(CARD, np.array([6.0, 2.0])))


def test_interval_widens_when_templates_disagree():
    calm, wild = (
        np.stack([np.linspace(0.2 - s, 0.2 + s, 8), np.full(8, 0.2)], axis=-1)[None] for s in (0.01, 0.1)
    )
    gram = np.ones((2, 8, 8))
    widths = [np.subtract(*template_intervals(CARD, c, gram, "embeddings", 0)[::-1])[0, 0] for c in (calm, wild)]
    assert 0 < widths[0] < widths[1]


def test_lead_is_of_the_two_most_probable_labels_and_its_p_exact():
    logits = np.array([[5.0, 1.0, 0.0], [4.0, 1.0, 0.0], [6.0, 2.0, 0.0]])
    estimate = lead(logits, np.array([0.9, 0.08, 0.02]), seed=0)
    assert estimate.value == pytest.approx(np.mean([4.0, 3.0, 4.0]))
    # All three differences are positive: of the 2^3 flips only two reach as far, all and none.
    assert estimate.p == pytest.approx(2 / 8)


def test_the_table_of_leads_says_who_leads_whom():
    result = run(PROBE, PARAMS, BACKEND).result
    row = result.tables()["leads"][0]
    assert (row.first, row.second) == tuple(answer.label for answer in result.of(0)[:2])
    first, second = (list(PARAMS.labels).index(label) for label in (row.first, row.second))
    by_hand = CARD.logit_scale * (result.cosines[0, :, first] - result.cosines[0, :, second])
    assert row.lead == pytest.approx(by_hand.mean())
    assert row.lead_low <= row.lead <= row.lead_high
    assert row.p == pytest.approx(2 / 2**5)


def test_several_pictures_are_summed_up():
    result = run(PROBE, replace(PARAMS, images=(PICTURE, noise(4), noise(5))), BACKEND).result
    assert "First labels of 3 pictures" in result.headline()
    assert len(result.tables()["answers"]) == 9


def test_a_cut_label_is_marked_and_comes_first_in_the_table():
    long = "a very long label of more words than the model can read"
    result = run(PROBE, replace(PARAMS, labels=("short", long)), BACKEND).result
    row = result.tables()["tokens"][0]
    assert long in row.prompt
    assert row.dropped > 0
    assert any("cut off" in warning for warning in result.warnings())


@pytest.mark.parametrize("labels", [("🐱", "🐶"), ("قطة", "כלב"), ("a <b>cat</b>", "a {} dog")])
def test_emoji_right_to_left_and_markup_are_only_text(labels):
    result = run(PROBE, replace(PARAMS, labels=labels), BACKEND).result
    assert {answer.label for answer in result.answers} == set(labels)
