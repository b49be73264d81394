"""Skew, NDKL, entropy, selection rates: against short versions, Fairlearn, closed forms, planted rankings."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from hypothesis import given as with_inputs
from hypothesis import settings
from hypothesis import strategies as st

from probes.bias_audit.ranking import nearest, null, point, ranking_measures, resampled, resampled_slowly
from probes.core.resampling import stratified_weights
from tests.bias_audit.planted import grouping, noise, of, scores


def slow(values, codes, groups, k, desired):
    """The definitions, place by place, in float64."""
    order = np.argsort(-values, kind="stable")[:k]
    share = np.array([(codes[order] == g).sum() for g in range(groups)]) / k
    skew = np.log(np.where(share == 0, 1 / k, share) / desired)
    total, z = 0.0, 0.0
    for i in range(1, k + 1):
        p = np.array([(codes[order[:i]] == g).mean() for g in range(groups)])
        z += 1 / np.log2(i + 1)
        total += sum(q * np.log(q / d) for q, d in zip(p, desired, strict=True) if q > 0) / np.log2(i + 1)
    entropy = -sum(q * np.log(q) for q in share if q > 0) / np.log(groups)
    return skew.max(), skew.min(), total / z, entropy


@pytest.mark.parametrize("groups", [2, 4])
@pytest.mark.parametrize("k", [1, 7, 50])
def test_against_the_definitions(groups, k):
    given, who = noise(groups, n=90, groups=groups)
    found = ranking_measures(given, who, k, seed=0)
    pool = who.sizes / who.sizes.sum()
    for w, word in enumerate(given.words):
        for variant, desired in (("equal_opportunity", np.full(groups, 1 / groups)), ("demographic_parity", pool)):
            expected = slow(given.mean[:, w].astype(np.float64), who.codes, groups, k, desired)
            for kind, value in zip(("max_skew", "min_skew", "ndkl"), expected[:3], strict=True):
                (m,) = of(found, kind, variant, word)
                assert m.value == pytest.approx(value, abs=1e-9)
        assert of(found, "entropy", word=word)[0].value == pytest.approx(expected[3], abs=1e-9)
        alone = slow(given.cosines[:, 2, w].astype(np.float64), who.codes, groups, k, pool)
        assert of(found, "ndkl", "demographic_parity", word)[0].by_wording[2] == pytest.approx(alone[2], abs=1e-9)


def test_rates_are_fairlearns():
    given, who = noise(3, n=100, groups=3)
    found, k = ranking_measures(given, who, 20, seed=0), 20
    for w, word in enumerate(given.words):
        chosen = np.zeros(100, dtype=int)
        chosen[np.argsort(-given.mean[:, w])[:k]] = 1
        names = np.array(who.groups)[who.codes]
        frame = MetricFrame(metrics=selection_rate, y_true=chosen, y_pred=chosen, sensitive_features=names)
        for group in who.groups:
            assert of(found, "selection_rate", "", word, group)[0].value == pytest.approx(frame.by_group[group])
        assert of(found, "selection_rate", "difference", word)[0].value == pytest.approx(frame.difference())
        assert of(found, "selection_rate", "ratio", word)[0].value == pytest.approx(frame.ratio())


def test_planted_skew_is_found_exactly():
    """One group holds the first twelve of sixteen places, of a pool of halves."""
    values = np.linspace(1, 0, 80)
    codes = np.array(([0] * 3 + [1]) * 4 + [1] * 20 + [0] * 8 + [0, 1] * 18)
    assert codes[:16].sum() == 4
    assert codes.mean() == pytest.approx(0.5, abs=0.03)
    found = ranking_measures(scores(values[:, None]), grouping(codes), 16, seed=0)
    m = of(found, "max_skew", "equal_opportunity")[0]
    assert (m.value, m.group) == (pytest.approx(np.log(0.75 / 0.5)), "first")
    m = of(found, "min_skew", "equal_opportunity")[0]
    assert (m.value, m.group) == (pytest.approx(np.log(0.25 / 0.5)), "second")
    assert of(found, "entropy")[0].value == pytest.approx(-(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)))


def test_an_absent_group_counts_as_one_over_k():
    found = ranking_measures(scores(np.linspace(1, 0, 40)[:, None]), grouping([0] * 20 + [1] * 20), 10, seed=0)
    assert of(found, "min_skew", "equal_opportunity")[0].value == pytest.approx(np.log(0.1 / 0.5))
    assert of(found, "max_skew", "equal_opportunity")[0].value == pytest.approx(np.log(2))
    assert of(found, "ndkl", "equal_opportunity")[0].value == pytest.approx(np.log(2))
    assert of(found, "entropy")[0].value == 0.0
    by_chance = 2 * comb(20, 10) / comb(40, 10)  # either group alone
    assert of(found, "ndkl", "equal_opportunity")[0].p == pytest.approx(by_chance, abs=4e-4)


def test_ties_share_their_places():
    """All pictures alike: every word selects the pool, whatever their order."""
    codes = np.array([0] * 30 + [1] * 10)
    for order in (codes, codes[::-1]):
        found = ranking_measures(scores(np.full((40, 1), 0.2)), grouping(order), 8, seed=0)
        assert of(found, "max_skew", "demographic_parity")[0].value == pytest.approx(0.0, abs=1e-12)
        assert of(found, "ndkl", "demographic_parity")[0].value == pytest.approx(0.0, abs=1e-12)
        assert of(found, "selection_rate", "difference")[0].value == pytest.approx(0.0, abs=1e-12)


@settings(max_examples=60, deadline=None)
@with_inputs(st.lists(st.integers(0, 3), min_size=6, max_size=30), st.integers(0, 2**31), st.data())
def test_order_of_pictures_does_not_matter_even_with_ties(values, seed, data):
    rng = np.random.default_rng(seed)
    values, codes = np.array(values, dtype=np.float32)[:, None], np.arange(len(values)) % 3
    k, order = data.draw(st.integers(1, len(values) - 1)), rng.permutation(len(values))
    one, other = point(values, codes, 3, k), point(values[order], codes[order], 3, k)
    for name in ("max_skew", "min_skew", "ndkl", "entropy", "difference", "ratio"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-9)
    assert nearest(values, codes, 3, k).shares.sum() == pytest.approx(k)


def test_quick_and_slow_resamples_agree():
    given, who = noise(7, n=300, t=1, words=2)
    weights = np.concatenate([w.astype(np.uint8) for w in stratified_weights(who.codes, 999, 0)])
    quick = resampled(given.mean, who.codes, 2, 10, 0)
    careful = resampled_slowly(given.mean, who.codes, 2, 10, weights)
    for one, other in zip(quick, careful, strict=True):
        assert one.ndkl == pytest.approx(other.ndkl, abs=1e-12)
        assert one.max_skew == pytest.approx(other.max_skew, abs=1e-12)


def test_the_null_is_a_draw_without_replacement():
    codes = np.array([0] * 30 + [1] * 70)
    rates = null(codes, 2, 20, seed=0).selection_rate
    assert rates.mean(axis=0) == pytest.approx([0.2, 0.2], abs=0.005)
    expected = 20 * 0.3 * 0.7 * (80 / 99) / 30**2  # hypergeometric variance of the count, over the group's size
    assert rates[:, 0].var() == pytest.approx(expected, rel=0.05)


def test_intervals_hold_their_value_and_stay_in_range():
    """Also where nothing is planted, and the resamples of a distance all lie beyond its value."""
    for seed, shift in ((0, 0.0), (1, 0.0), (2, 0.3)):
        given, who = noise(seed, n=150, t=1, groups=3)
        moved = scores(given.cosines + shift * (who.codes == 0)[:, None, None])
        for m in ranking_measures(moved, who, 12, seed=0):
            assert m.low <= m.value <= m.high
            if m.measure in ("ndkl", "entropy", "max_skew", "selection_rate"):
                assert m.low >= 0
            if m.measure in ("entropy", "selection_rate"):
                assert m.high <= 1
