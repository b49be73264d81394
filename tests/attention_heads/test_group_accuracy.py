"""Accuracy over groups and in the worst one, against Fairlearn and a short version."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.attention_heads.group_accuracy import FEWEST, Groups, changed
from probes.core.resampling import RESAMPLES, stratified_weights

WORDS = ("a bird", "a fish")
GROUNDS = ("land", "water")


def groups_of(n=90, seed=0, cells=True):
    rng = np.random.default_rng(seed)
    labels = [WORDS[int(one)] for one in rng.integers(2, size=n)] if cells else [f"thing {i}" for i in range(n)]
    return Groups.of(labels, [GROUNDS[int(one)] for one in rng.integers(2, size=n)]), labels


def test_the_worst_group_is_of_pairs_where_these_are_large_and_of_groups_else():
    large = Groups.of([w for w in WORDS for _ in range(2 * FEWEST)], [*GROUNDS * FEWEST, *GROUNDS * FEWEST])
    assert large.worst_of == "all pairs of label and group"
    assert set(large.cells) == {f"{word}, {ground}" for word, ground in product(WORDS, GROUNDS)}
    small, _ = groups_of(cells=False)
    assert small.worst_of == "all groups"
    assert small.cells == small.names[1:-1]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_accuracies_are_those_of_fairlearn_and_of_counting(seed, cells):
    groups, _ = groups_of(300, seed, cells)
    hits = np.random.default_rng(seed).random(300) < 0.6
    by_cell = MetricFrame(
        metrics=lambda y_true, y_pred: y_pred.mean(), y_true=hits, y_pred=hits, sensitive_features=groups.cell
    )
    counted = [hits.mean(), *(hits[groups.group == g].mean() for g in range(2)), by_cell.group_min()]
    np.testing.assert_allclose(groups.accuracy(hits[None])[0], counted, atol=1e-12)
    np.testing.assert_allclose(groups.exactly(hits), counted, atol=1e-12)
    assert hits[groups.cell == groups.worst(hits)].mean() == pytest.approx(counted[-1])


def test_changes_are_those_of_a_short_version():
    groups, _ = groups_of(60, cells=False)
    rng = np.random.default_rng(3)
    before = rng.random(60) < 0.5
    after = before.copy()
    differ = rng.choice(60, 9, replace=False)
    after[differ] = ~after[differ]
    found = changed(groups, before, after, 5)

    def told(hits):
        by_group = [hits[groups.group == g].mean() for g in range(2)]
        return np.array([hits.mean(), *by_group, min(by_group)])

    np.testing.assert_allclose(found.change, told(after) - told(before), atol=1e-12)
    every = []
    for flips in product((False, True), repeat=9):
        first, second = before.copy(), after.copy()
        places = differ[np.array(flips)]
        first[places], second[places] = after[places], before[places]
        every.append(told(second) - told(first))
    p = (np.abs(every) >= np.abs(found.change) - 1e-12).mean(axis=0)
    np.testing.assert_allclose(found.p, p, atol=1e-12)
    weights = np.concatenate(list(stratified_weights(groups.group, RESAMPLES, 5))).astype(np.float64)
    gain = weights @ (after.astype(float) - before) / 60
    np.testing.assert_allclose([ends[0] for ends in found.change_ends], np.quantile(gain, [0.025, 0.975]))
    low, high = found.change_ends
    assert (low <= found.change).all()
    assert (found.change <= high).all()


def test_nothing_changes_where_nothing_is_dropped():
    groups, _ = groups_of()
    hits = np.random.default_rng(0).random(90) < 0.7
    found = changed(groups, hits, hits, 0)
    assert (found.p == 1).all()
    assert (found.change == 0).all()
