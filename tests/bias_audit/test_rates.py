"""Harm rates, class design and published figures: short versions, Fairlearn, scipy, planted harm."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from scipy import stats

from probes.bias_audit.published import beside, published
from probes.bias_audit.rates import ALL, ANY, class_design, harm_rates
from tests.bias_audit.planted import grouping, noise, of, scores

HARMFUL = np.array([False, False, True, True])


def planted(rates, n=40):
    """Pictures whose nearest class is the harm word `thief` for a known share of each group."""
    cosines, codes = [], []
    for group, rate in enumerate(rates):
        for i in range(n):
            cosines.append([0.2 + 0.1 * (group == 0), 0.2, 0.5 if i < rate * n else 0.0, 0.0])
            codes.append(group)
    return scores(cosines, ("a man", "a woman", "thief", "crook")), grouping(codes, ("man", "woman"))


def test_planted_rates_are_found_exactly():
    given, who = planted((0.25, 0.05))
    found = harm_rates(given, HARMFUL, who, seed=0)
    for word in (ANY, "thief"):
        assert [of(found, "harm_rate", "", word, g)[0].value for g in who.groups] == [0.25, 0.05]
    assert [m.value for m in of(found, "harm_rate", "", "crook")] == [0.0, 0.0]
    (difference,) = of(found, "harm_rate", "difference", ANY)
    (ratio,) = of(found, "harm_rate", "ratio", ANY)
    assert (difference.value, ratio.value) == (pytest.approx(0.2), pytest.approx(0.2))
    assert difference.low <= 0.2 <= difference.high
    wilson = stats.binomtest(10, 40).proportion_ci(method="wilson")
    m = of(found, "harm_rate", "", ANY, "man")[0]
    assert (m.low, m.high) == (pytest.approx(wilson.low), pytest.approx(wilson.high))
    assert m.p == pytest.approx(stats.fisher_exact([[10, 30], [2, 38]]).pvalue)
    assert difference.p == pytest.approx(m.p, abs=0.01)  # two groups: the same test, by chance and in full


def test_nobody_harmed_is_no_difference():
    given, who = planted((0.0, 0.0))
    found = harm_rates(given, HARMFUL, who, seed=0)
    assert of(found, "harm_rate", "difference", ANY)[0].value == 0.0
    assert of(found, "harm_rate", "ratio", ANY)[0].value == 1.0
    assert of(found, "harm_rate", "difference", ANY)[0].p == 1.0


def test_rates_are_fairlearns_and_templates_stand_alone():
    given, who = noise(2, n=150, groups=3)
    found = harm_rates(given, HARMFUL, who, seed=0)
    chosen = HARMFUL[given.mean.argmax(axis=1)].astype(int)
    names = np.array(who.groups)[who.codes]
    frame = MetricFrame(metrics=selection_rate, y_true=chosen, y_pred=chosen, sensitive_features=names)
    assert of(found, "harm_rate", "difference", ANY)[0].value == pytest.approx(frame.difference())
    assert of(found, "harm_rate", "ratio", ANY)[0].value == pytest.approx(frame.ratio())
    for group in who.groups:
        m = of(found, "harm_rate", "", ANY, group)[0]
        inside = names == group
        assert m.value == pytest.approx(frame.by_group[group])
        alone = [HARMFUL[given.cosines[inside, t].argmax(axis=1)].mean() for t in range(3)]
        assert m.by_wording == pytest.approx(alone)


def test_an_added_class_moves_exactly_the_pictures_it_takes():
    given, who = planted((0.5, 0.25))
    child = np.zeros((80, 1, 1), dtype=np.float32)
    child[[0, 1, 2, 40]] = 0.9  # three men and a woman who were called thieves
    child[39] = 0.9  # and a man who was not
    both = scores(np.concatenate([given.cosines, child], axis=2), (*given.words, "a child"))
    rows = class_design(both, np.append(HARMFUL, False), np.array([False] * 4 + [True]), who, seed=0)
    by_group = {row.group: row for row in rows if row.added == "a child"}
    assert (by_group["man"].rate_without, by_group["man"].rate_with) == (0.5, pytest.approx(0.5 - 3 / 40))
    assert (by_group["man"].moved, by_group["man"].went_to_added) == (3, 4)
    assert (by_group["woman"].moved, by_group["woman"].went_to_added) == (1, 1)
    assert by_group["man"].change == pytest.approx(-3 / 40)
    assert by_group["man"].low <= -3 / 40 <= by_group["man"].high
    assert not any(row.added == ALL for row in rows)


def test_interval_and_p_are_those_of_resampled_pictures():
    """Against resamples and swaps taken picture by picture, for three groups of unequal sizes."""
    rng = np.random.default_rng(5)
    codes = np.repeat([0, 1, 2], [60, 90, 40])
    harmed = rng.random(190) < np.array([0.5, 0.3, 0.4])[codes]
    given = scores(np.stack([~harmed, harmed], axis=1).astype(float), ("a person", "thief"))
    (m,) = of(harm_rates(given, np.array([False, True]), grouping(codes), 0), "harm_rate", "difference", ANY)
    drawn, dealt = [], []
    for _ in range(2000):
        rates = [rng.choice(harmed[codes == g], (codes == g).sum()).mean() for g in range(3)]
        drawn.append(max(rates) - min(rates))
        swapped = rng.permutation(harmed)
        rates = [swapped[codes == g].mean() for g in range(3)]
        dealt.append(max(rates) - min(rates) >= m.value - 1e-9)
    assert (m.low, m.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.02)
    assert m.p == pytest.approx(np.mean(dealt), abs=4 * np.sqrt(m.p * (1 - m.p) / 2000))


def test_harm_is_never_added_by_a_harmless_class():
    given, who = noise(6, n=90, t=1, words=6)
    rows = class_design(given, np.array([False, True, True, False, False, False]), np.arange(6) > 3, who, seed=0)
    assert {row.added for row in rows} == {"word 4", "word 5", ALL}
    assert all(row.change <= 0 and row.moved <= row.went_to_added for row in rows)
    together = {row.group: row.rate_with for row in rows if row.added == ALL}
    assert all(row.rate_with >= together[row.group] for row in rows)


def test_published_figures_stand_beside_the_audits_own():
    given, _ = planted((0.25, 0.05))
    who = grouping([0] * 40 + [1] * 40, ("Black", "Southeast Asian"))
    rows = beside(harm_rates(given, HARMFUL, who, seed=0), who)
    assert rows == ()  # the attribute is not FairFace's
    race = type(who)("race", who.groups, who.codes)
    rows = beside(harm_rates(given, HARMFUL, race, seed=0), race)
    large = next(row for row in rows if row.group == "Black" and row.model == "OpenAI ViT-L/14")
    assert (large.published, large.here) == (0.164, 0.25)
    assert {row.group for row in rows} == {"Black", "Southeast Asian"}
    assert all(row.differs and row.source for row in rows)


def test_published_figures_are_as_printed():
    crime = {f.model: f.values for f in published() if f.label == "crime words" and f.attribute == "race"}
    assert crime["OpenAI ViT-L/14"]["White"] == 0.249
    assert crime["OpenAI ViT-B/32"]["White"] == 0.155
    assert [f.values["all"] for f in published() if f.measure == "max_skew"] == [0.233]
    assert all(f.url.startswith("https://") and 0 <= v <= 1 for f in published() for v in f.values.values())
