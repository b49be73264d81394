"""Differences, SC-EAT and WEAT: against short float64 versions, scipy, and what was planted."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from probes.bias_audit.association import adjusted, association_measures, differences, leaning, weat, weat_measure
from tests.bias_audit.planted import grouping, noise, of, scores, unit


@pytest.mark.parametrize("groups", [2, 3])
def test_against_five_lines_in_float64(groups):
    given, who = noise(1, groups=groups)
    s = given.cosines.astype(np.float64).mean(axis=1)
    for m in association_measures(given, who, seed=0):
        w, inside = given.words.index(m.word), who.codes == who.groups.index(m.group)
        expected = s[inside, w].mean() - s[~inside, w].mean()
        if m.measure == "sc_eat":
            expected /= s[:, w].std(ddof=1)
        assert m.value == pytest.approx(expected, abs=1e-7)
        one = given.cosines[:, 1, w].astype(np.float64)
        alone = one[inside].mean() - one[~inside].mean()
        assert m.by_wording[1] == pytest.approx(
            alone / one.std(ddof=1) if m.measure == "sc_eat" else alone, abs=1e-6
        )


def test_closed_form():
    """Two groups at two values: the difference is theirs, SC-EAT has a known std."""
    who = grouping([0] * 30 + [1] * 30)
    given = scores(np.r_[np.full(30, 0.5), np.full(30, 0.1)][:, None])
    found = association_measures(given, who, seed=0)
    (first,) = of(found, "association_difference", group="first")
    assert first.value == pytest.approx(0.4, abs=1e-6)
    assert (first.low, first.high) == (pytest.approx(0.4, abs=1e-6), pytest.approx(0.4, abs=1e-6))
    assert first.p == pytest.approx(1 / 10_000)
    (effect,) = of(found, "sc_eat", group="first")
    assert effect.value == pytest.approx(0.4 / (0.2 * np.sqrt(60 / 59)), abs=1e-5)


def test_nothing_is_nothing():
    found = association_measures(scores(np.full((20, 2), 0.3)), grouping([0, 1] * 10), seed=0)
    assert all(m.value == pytest.approx(0.0, abs=1e-7) and m.p == 1.0 for m in found)


def test_interval_and_p_are_scipys():
    rng = np.random.default_rng(5)
    x, y = rng.normal(0.03, 0.1, 50), rng.normal(0, 0.1, 70)
    given, who = scores(np.r_[x, y][:, None]), grouping([0] * 50 + [1] * 70)
    m = of(association_measures(given, who, seed=0), "association_difference", group="first")[0]
    gap = lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis)  # noqa: E731
    theirs = stats.bootstrap((x, y), gap, method="percentile", n_resamples=9999, rng=1, vectorized=True)
    assert m.low == pytest.approx(theirs.confidence_interval.low, abs=0.004)
    assert m.high == pytest.approx(theirs.confidence_interval.high, abs=0.004)
    p = stats.permutation_test((x, y), gap, vectorized=True, n_resamples=9999, rng=2).pvalue
    assert m.p == pytest.approx(p, abs=0.02)


def test_few_pictures_are_counted_exactly():
    rng = np.random.default_rng(0)
    values = rng.normal(size=10)
    found = differences(values[:, None].astype(np.float32), np.array([0] * 4 + [1] * 6), 2, seed=0)
    gap = lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis)  # noqa: E731
    whole = [abs(values[list(c)].mean() - np.delete(values, list(c)).mean()) for c in combinations(range(10), 4)]
    expected = np.mean(np.array(whole) >= abs(values[:4].mean() - values[4:].mean()) - 1e-9)
    assert found.p[0, 0] == pytest.approx(expected)
    assert found.p[0, 0] == found.p[1, 0]
    assert gap(values[:4], values[4:], 0) == pytest.approx(found.value[0, 0], abs=1e-6)


def test_weat_against_the_definition():
    rng = np.random.default_rng(2)
    x, y, a, b = (unit(rng.normal(size=(k, 6))) for k in (6, 6, 4, 5))
    s = lambda w: (w @ a.T).mean(axis=1) - (w @ b.T).mean(axis=1)  # noqa: E731
    both = np.r_[s(x), s(y)].astype(np.float64)
    effect = (both[:6].mean() - both[6:].mean()) / both.std(ddof=1)
    splits = [both[list(c)].sum() for c in combinations(range(12), 6)]
    found = weat_measure(x, y, a[None], b[None], variant="v", word="A / B", group="X − Y", seed=0)
    assert found.value == pytest.approx(effect, abs=1e-6)
    assert found.p == pytest.approx(np.mean(np.array(splits) >= both[:6].sum() - 1e-9))
    assert found.low < found.value < found.high
    assert found.n == 12


def test_weat_finds_what_is_planted_and_not_its_mirror():
    found = weat(np.linspace(1, 2, 30), np.linspace(-2, -1, 40), seed=0)
    assert found.effect > 1.5
    assert found.p == pytest.approx(1 / 10_000)
    assert not found.exact
    assert weat(np.linspace(-2, -1, 40), np.linspace(1, 2, 30), seed=0).p > 0.99


def test_weat_of_texts_meets_its_own_template():
    rng = np.random.default_rng(3)
    texts, a, b = (
        unit(rng.normal(size=(3, 5, 8))),
        unit(rng.normal(size=(3, 2, 8))),
        unit(rng.normal(size=(3, 2, 8))),
    )
    found = leaning(texts, a, b)
    for t in range(3):
        expected = (texts[t] @ a[t].T).mean(axis=1) - (texts[t] @ b[t].T).mean(axis=1)
        assert found[t] == pytest.approx(expected, abs=1e-6)


def test_correction_is_within_a_family_and_blind_to_mirrors():
    given, who = noise(4, words=6)
    found = adjusted(association_measures(given, who, seed=0))
    for kind in ("association_difference", "sc_eat"):
        one = of(found, kind, group="first")
        expected = stats.false_discovery_control([m.p for m in one])
        assert [m.p_adjusted for m in one] == pytest.approx(list(expected))
