"""Intervals and tests against enumeration, closed forms and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from probes.core.statistics import (
    Estimate,
    Interval,
    benjamini_hochberg,
    bootstrap_interval,
    mean_estimate,
    rank_p,
    sign_flip_p,
)


def test_bootstrap_interval_is_near_the_normal_one_for_many_normal_samples():
    samples = np.random.default_rng(0).normal(3.0, 2.0, 400)
    interval = bootstrap_interval(samples, seed=1)
    half = 1.96 * samples.std() / 20
    assert interval.low == pytest.approx(samples.mean() - half, abs=0.02)
    assert interval.high == pytest.approx(samples.mean() + half, abs=0.02)


@pytest.mark.slow
def test_bootstrap_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    covered = 0
    for repetition in range(200):
        interval = bootstrap_interval(rng.exponential(1.0, 60), seed=repetition)
        covered += interval.low <= 1.0 <= interval.high
    assert 0.87 <= covered / 200 <= 0.99


def test_one_sample_has_no_interval_and_equal_ones_no_width():
    assert bootstrap_interval([1.0], 0) is None
    assert bootstrap_interval([2.0, 2.0, 2.0], 0) == Interval(2.0, 2.0)
    assert mean_estimate([1.0], "pairs", 0).describe() == "+1.00 (no interval from n = 1 pairs)"


def test_estimate_in_words():
    estimate = Estimate(1.5, 7, "templates", Interval(-0.5, 3.25))
    assert estimate.describe() == "+1.50 (95 % interval -0.50 to +3.25, n = 7 templates)"


@pytest.mark.parametrize("seed", range(5))
def test_sign_flip_is_exact_for_few_differences(seed):
    values = np.random.default_rng(seed).normal(0.4, 1.0, 8)
    flips = [np.mean(values * signs) for signs in itertools.product((1, -1), repeat=8)]
    # Two-tailed as SciPy has it: twice the smaller tail.
    above = np.mean(np.array(flips) >= values.mean() - 1e-12)
    below = np.mean(np.array(flips) <= values.mean() + 1e-12)
    assert sign_flip_p(values, seed) == pytest.approx(min(1.0, 2 * min(above, below)))


def test_rank_p_by_hand():
    assert rank_p(10.0, [0.0, 0.1, -0.1, 0.05]) == pytest.approx(1 / 5)
    assert rank_p(0.0, [0.0, 0.0, 0.0]) == 1.0
    assert rank_p(-3.0, [-1.0, 0.0, 1.0]) == rank_p(3.0, [-1.0, 0.0, 1.0])


def test_rank_p_is_uniform_under_its_null():
    rng = np.random.default_rng(3)
    values = [rank_p(row[0], row[1:]) for row in rng.gamma(1.0, size=(4000, 20))]
    for level in (0.05, 0.25, 0.5, 0.75):
        assert np.mean(np.array(values) <= level + 1e-9) == pytest.approx(level, abs=0.025)


def test_benjamini_hochberg_is_the_step_up_of_the_paper():
    p = [0.01, 0.04, 0.03, 0.5]
    order = np.argsort(p)
    by_hand = np.empty(4)
    least = 1.0
    for rank in range(4, 0, -1):
        place = order[rank - 1]
        least = min(least, p[place] * 4 / rank)
        by_hand[place] = least
    assert benjamini_hochberg(p) == pytest.approx(tuple(by_hand))
    assert benjamini_hochberg(p) == pytest.approx(tuple(stats.false_discovery_control(p)))
    assert benjamini_hochberg([]) == ()
