"""Simulated audits: intervals hold what they should as often as they say, and nulls give even p-values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from probes.bias_audit import ranking
from probes.bias_audit.association import association_measures, weat
from probes.bias_audit.counterfactual import counterfactual_differences
from probes.bias_audit.ranking import ranking_measures
from probes.bias_audit.rates import harm_rates
from probes.core import resampling
from probes.core.statistics import wilson
from tests.bias_audit.planted import grouping, of, scores

pytestmark = pytest.mark.slow

AUDITS = 2_000
WORDS = 50
"""Audits are simulated as independent words of one set of groups: 40 sets of 50."""
CODES = np.repeat([0, 1], [150, 200])
SHIFT = 0.02
SPREAD = 0.1


def simulated(seed, shift):
    rng = np.random.default_rng([9, seed])
    means = np.where(CODES == 0, shift, 0.0)[:, None]
    return scores(means + SPREAD * rng.normal(size=(len(CODES), WORDS)))


def audits(measure, shift):
    """The measures of all simulated audits."""
    return [m for s in range(AUDITS // WORDS) for m in measure(simulated(s, shift), grouping(CODES), s)]


def share(measures, truth):
    return np.mean([m.low <= truth <= m.high for m in measures])


def test_intervals_of_differences_cover():
    found = [
        m for s in range(AUDITS // WORDS) for m in association_measures(simulated(s, SHIFT), grouping(CODES), s)
    ]
    one = of(found, "association_difference", group="first")
    assert len(one) == AUDITS
    assert 0.94 <= share(one, SHIFT) <= 0.96
    # the whole is a mixture: its variance is the common one and that of the two means
    mixed = np.sqrt(SPREAD**2 + SHIFT**2 * np.mean(CODES == 0) * np.mean(CODES == 1))
    assert 0.94 <= share(of(found, "sc_eat", group="first"), SHIFT / mixed) <= 0.96


def test_intervals_of_effect_sizes_cover(monkeypatch):
    monkeypatch.setattr(resampling, "SWAPS", 99)  # p is not looked at here
    shift, x, y = 0.5, 60, 80
    rng = np.random.default_rng(6)
    found = [weat(shift + rng.normal(size=x), rng.normal(size=y), seed) for seed in range(AUDITS)]
    # the union is a mixture: its variance is the common one and that of the two means
    truth = shift / np.sqrt(1 + shift**2 * x * y / (x + y) ** 2)
    assert 0.94 <= share(found, truth) <= 0.96


def test_intervals_of_paired_differences_cover():
    rng = np.random.default_rng(1)
    found = []
    for s in range(AUDITS // WORDS):
        first = 0.3 + rng.normal(size=(120, 1, WORDS))
        pairs = np.stack([np.arange(120), np.arange(120, 240)], axis=1)
        logits = np.concatenate([first, np.zeros_like(first)])
        found += counterfactual_differences(logits, pairs, [str(w) for w in range(WORDS)], s)
    assert 0.94 <= share(of(found, "counterfactual_difference", "logit"), 0.3) <= 0.96


def test_intervals_of_rates_and_skew_cover_where_skew_is_planted(monkeypatch):
    """The truth is that of a very large audit of the same kind, k in proportion.

    Audits of 1,400 pictures: with few, places are counted in steps too wide for an interval to hold just 95 %.
    """
    monkeypatch.setattr(ranking, "RESAMPLES", 399)
    rng, shift, who = np.random.default_rng(2), 0.1, np.repeat([0, 1], [600, 800])
    many = np.repeat([0, 1], [150_000, 200_000])
    values = np.where(many == 0, shift, 0)[:, None] + SPREAD * rng.normal(size=(len(many), 1))
    large = ranking.point(values, many, 2, 100_000)
    found = []
    for s in range(AUDITS // WORDS):
        given = scores(np.where(who == 0, shift, 0)[:, None] + SPREAD * rng.normal(size=(len(who), WORDS)))
        found += ranking.ranking_measures(given, grouping(who), 400, s)
    assert 0.94 <= share(of(found, "selection_rate", "", group="first"), float(large.selection_rate[0, 0])) <= 0.96
    assert 0.94 <= share(of(found, "max_skew", "demographic_parity"), float(large.max_skew[0, 1])) <= 0.96


def test_intervals_of_harm_rates_cover():
    """Over many true rates: at one alone, counts of few pictures hold a little more or less."""
    rng = np.random.default_rng(3)
    truth = rng.uniform(0.05, 0.5, AUDITS)
    intervals = [wilson(int(rng.binomial(150, rate)), 150) for rate in truth]
    covered = [one.low <= rate <= one.high for one, rate in zip(intervals, truth, strict=True)]
    assert 0.94 <= np.mean(covered) <= 0.96


def test_p_is_even_under_the_null():
    found = [
        m for s in range(AUDITS // WORDS) for m in association_measures(simulated(s, 0.0), grouping(CODES), s)
    ]
    one = of(found, "association_difference", group="first")
    assert stats.kstest([m.p for m in one], "uniform").pvalue > 0.01
    assert 0.04 <= np.mean([m.p <= 0.05 for m in one]) <= 0.06


def test_paired_p_is_even_under_the_null():
    rng, found = np.random.default_rng(5), []
    for s in range(AUDITS // WORDS):
        logits = rng.normal(size=(120, 1, WORDS))
        pairs = np.stack([np.arange(60), np.arange(60, 120)], axis=1)
        found += counterfactual_differences(logits, pairs, [str(w) for w in range(WORDS)], s)
    p = [m.p for m in of(found, "counterfactual_difference", "logit")]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_p_of_rankings_and_weat_never_calls_more_than_it_says():
    """Counts take few values, so their p is uneven; it must not be too small too often."""
    found = [
        m for s in range(AUDITS // WORDS) for m in ranking_measures(simulated(s, 0.0), grouping(CODES), 40, s)
    ]
    for kind, variant in (
        ("max_skew", "demographic_parity"), ("min_skew", "equal_opportunity"), ("ndkl", "demographic_parity"),
        ("selection_rate", "difference"),
    ):  # fmt: skip
        p = np.array([m.p for m in of(found, kind, variant)])
        for level in (0.01, 0.05, 0.2):
            assert (p <= level).mean() <= level + 2.6 * np.sqrt(level / AUDITS), (kind, level)
    ndkl = [m.p for m in of(found, "ndkl", "demographic_parity")]
    assert stats.kstest(ndkl, "uniform").pvalue > 0.001  # a sum over places takes many values
    rng = np.random.default_rng(8)
    p = [weat(rng.normal(size=6), rng.normal(size=6), seed=0).p for _ in range(AUDITS)]
    assert stats.kstest(p, "uniform").statistic < 0.04


def test_p_of_harm_differences_never_calls_more_than_it_says():
    rng, p = np.random.default_rng(4), []
    for s in range(150):
        harmed = rng.random(len(CODES)) < 0.2
        given = scores(np.stack([~harmed, harmed], axis=1).astype(float), ("a person", "thief"))
        rows = harm_rates(given, np.array([False, True]), grouping(CODES), s)
        p.append(of(rows, "harm_rate", "difference", "any")[0].p)
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 2.6 * np.sqrt(0.05 / 150)
