"""Resamples as matrices, against scipy one column at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from probes.core import resampling
from probes.core.resampling import EXACT, ends, p_value, sign_flips, splits, stratified_weights, swapped


def test_weights_keep_every_stratum_at_its_size():
    strata = np.array([0, 1, 0, 2, 2, 2, 1, 0])
    weights = np.concatenate(list(stratified_weights(strata, 500, seed=3)))
    assert weights.shape == (500, 8)
    for stratum, size in enumerate(np.bincount(strata)):
        assert (weights[:, strata == stratum].sum(axis=1) == size).all()
    assert weights.mean() == pytest.approx(1.0)
    assert weights[:, 0].var() == pytest.approx(1 * (1 - 1 / 3), rel=0.25)  # multinomial, n = 3


def test_chunks_add_up(monkeypatch):
    monkeypatch.setattr(resampling, "CHUNK", 4 * 10 * 7)
    weights = [len(some) for some in stratified_weights(np.zeros(10, dtype=np.intp), 23, seed=0)]
    assert sum(weights) == 23
    assert max(weights) == 7


def test_the_interval_is_scipys():
    values = np.random.default_rng(0).normal(size=80)
    draws = np.concatenate(
        [w @ values / 80 for w in stratified_weights(np.zeros(80, dtype=np.intp), 20_000, seed=1)]
    )
    low, high = ends(draws)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=2
    ).confidence_interval
    assert float(low) == pytest.approx(theirs.low, abs=0.01)
    assert float(high) == pytest.approx(theirs.high, abs=0.01)


def test_swaps_keep_the_sizes_of_groups_and_the_place_of_none():
    codes = np.array([0] * 5 + [1] * 3 + [2] * 2)
    dealt = np.concatenate(list(swapped(codes, 4_000, seed=0)))
    assert dealt.shape == (4_000, 10)
    assert (np.sort(dealt, axis=1) == codes).all()
    assert (dealt == 1).mean(axis=0) == pytest.approx(np.full(10, 0.3), abs=0.04)


@pytest.mark.parametrize(("n", "first"), [(8, 4), (9, 2), (12, 6)])
def test_few_splits_are_all_counted(n, first):
    masks, exact = splits(n, first, seed=0)
    every = np.concatenate(list(masks))
    assert exact
    assert len({tuple(row) for row in every}) == len(every) == math.comb(n, first)
    assert (every.sum(axis=1) == first).all()


def test_many_splits_are_dealt():
    masks, exact = splits(40, 15, seed=0)
    every = np.concatenate(list(masks))
    assert not exact
    assert len(every) == resampling.SWAPS
    assert (every.sum(axis=1) == 15).all()


def test_signs_are_all_counted_up_to_the_limit():
    signs, exact = sign_flips(13, seed=0)
    every = np.concatenate(list(signs))
    assert exact
    assert len(np.unique(every, axis=0)) == 2**13 <= EXACT
    signs, exact = sign_flips(14, seed=0)
    every = np.concatenate(list(signs))
    assert not exact
    assert set(np.unique(every)) == {-1.0, 1.0}
    assert abs(every.mean()) < 0.01


def test_p_counts_the_observed_arrangement_once():
    assert float(p_value(np.array(5), 100, exact=True)) == 0.05
    assert float(p_value(np.array(4), 99, exact=False)) == 0.05
    assert float(p_value(np.array(0), 99, exact=False)) == 0.01


def test_intervals_of_distances_are_moved_by_their_bias_and_stay_in_range():
    draws = np.linspace(0.3, 0.7, 401)[:, None]  # 95 % of them from 0.31 to 0.69, mean 0.5
    ((low,), (high,)) = resampling.ends_of_distance(draws, np.array([0.4]), 0.0, 1.0)
    assert (low, high) == pytest.approx((0.21, 0.59))
    ((low,), (high,)) = resampling.ends_of_distance(draws, np.array([0.1]), 0.0, 1.0)
    assert (low, high) == pytest.approx((0.0, 0.29))
    ((low,), (high,)) = resampling.ends_of_distance(np.array([[0.0]] * 99 + [[1.0]]), np.array([0.5]), 0.0, 1.0)
    assert low <= 0.5 <= high
