"""Paired differences: closed forms, scipy's tests, clusters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from probes.bias_audit.counterfactual import against_other_words, counterfactual_differences, pair_differences
from tests.bias_audit.planted import of

RNG = np.random.default_rng(0)
PAIRS = np.stack([np.arange(40), np.arange(40, 80)], axis=1)
LOGITS = RNG.normal(size=(80, 3, 4)) + np.r_[np.ones(40), np.zeros(40)][:, None, None] * np.array([0.0, 0, 0.3, 1])
WORDS = ("a", "b", "c", "d")


def test_against_the_definition():
    found = counterfactual_differences(LOGITS, PAIRS, WORDS, seed=0, group="man")
    mean = (LOGITS[:40] - LOGITS[40:]).mean(axis=1)
    for w, word in enumerate(WORDS):
        (m,) = of(found, "counterfactual_difference", "logit", word)
        assert m.value == pytest.approx(mean[:, w].mean())
        assert m.n == 40
        assert m.by_wording == pytest.approx([(LOGITS[:40, t, w] - LOGITS[40:, t, w]).mean() for t in range(3)])
        (m,) = of(found, "counterfactual_difference", "against_other_words", word)
        assert m.value == pytest.approx((mean[:, w] - np.delete(mean, w, axis=1).mean(axis=1)).mean())


def test_p_and_interval_are_scipys_and_corrected_over_words():
    found = of(counterfactual_differences(LOGITS, PAIRS, WORDS, seed=0), "counterfactual_difference", "logit")
    mean = (LOGITS[:40] - LOGITS[40:]).mean(axis=1)
    for w, m in enumerate(found):
        test = stats.permutation_test(
            (mean[:, w],), np.mean, permutation_type="samples", n_resamples=9999, rng=1, vectorized=True
        )
        assert m.p == pytest.approx(test.pvalue, abs=0.02)
        theirs = stats.bootstrap((mean[:, w],), np.mean, method="percentile", rng=2).confidence_interval
        assert (m.low, m.high) == (pytest.approx(theirs.low, abs=0.03), pytest.approx(theirs.high, abs=0.03))
    assert [m.p_adjusted for m in found] == pytest.approx(
        list(stats.false_discovery_control([m.p for m in found]))
    )
    assert found[3].p_adjusted < 0.001
    assert found[0].p_adjusted > 0.05


def test_swapping_the_groups_changes_the_sign():
    one = counterfactual_differences(LOGITS, PAIRS, WORDS, seed=0)
    other = counterfactual_differences(LOGITS, PAIRS[:, ::-1], WORDS, seed=0)
    for a, b in zip(one, other, strict=True):
        assert (a.value, a.p) == (pytest.approx(-b.value), pytest.approx(b.p))


def test_few_pairs_are_counted_exactly():
    found = counterfactual_differences(LOGITS[:, :1], PAIRS[:5], WORDS[:1], seed=0)
    assert [m.variant for m in found] == ["logit"]
    d = LOGITS[:5, 0, 0] - LOGITS[40:45, 0, 0]
    signs = np.array(np.meshgrid(*[[-1, 1]] * 5)).reshape(5, -1).T
    assert found[0].p == pytest.approx(np.mean(np.abs(signs @ d) >= abs(d.sum()) - 1e-9))


def test_pairs_that_share_a_picture_are_one_cluster():
    """Every pair four times over says no more than once."""
    once = counterfactual_differences(LOGITS, PAIRS, WORDS, seed=0)
    again = np.repeat(PAIRS, 4, axis=0)
    together = counterfactual_differences(LOGITS, again, WORDS, seed=0, clusters=np.repeat(np.arange(40), 4))
    for a, b in zip(once, together, strict=True):
        assert (a.value, a.low, a.high) == tuple(pytest.approx(v) for v in (b.value, b.low, b.high))
        assert a.p == b.p


def test_differences_against_other_words_add_up_to_nothing():
    found = against_other_words(pair_differences(LOGITS, PAIRS))
    assert found.sum(axis=-1) == pytest.approx(np.zeros((40, 3)), abs=1e-9)
