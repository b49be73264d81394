"""Harm rates, class design and published figures: short versions, Fairlearn, scipy, planted harm."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from scipy import stats

from probes.bias_audit.class_design import ADDED, ALL, REMOVED, class_design
from probes.bias_audit.published import beside, published
from probes.bias_audit.rates import ANY, harm_rates
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
    by_group = {row.group: row for row in rows if (row.design, row.word) == (ADDED, "a child")}
    assert (by_group["man"].rate_before, by_group["man"].rate_after) == (0.5, pytest.approx(0.5 - 3 / 40))
    assert (by_group["man"].from_harm, by_group["man"].touched, by_group["man"].to_harm) == (3, 4, 0)
    assert (by_group["woman"].from_harm, by_group["woman"].touched) == (1, 1)
    assert by_group["man"].change == pytest.approx(-3 / 40)
    assert by_group["man"].low <= -3 / 40 <= by_group["man"].high
    assert not any(row.word == ALL for row in rows)


def test_a_class_left_out_sends_its_pictures_elsewhere():
    """Eight men who are nearest to “a man”: three of them have a harm word next, five “a woman”."""
    given = scores(
        np.array([[0.9, 0.1, 0.5, 0.0]] * 3 + [[0.9, 0.5, 0.1, 0.0]] * 5 + [[0.1, 0.9, 0.2, 0.0]] * 8),
        ("a man", "a woman", "thief", "crook"),
    )
    who = grouping([0] * 8 + [1] * 8, ("man", "woman"))
    rows = class_design(given, HARMFUL, np.zeros(4, dtype=bool), who, seed=0)
    assert {(row.design, row.word) for row in rows} == {(REMOVED, word) for word in given.words}
    man = {row.word: row for row in rows if row.group == "man"}
    assert (man["a man"].change, man["a man"].to_harm, man["a man"].touched) == (pytest.approx(3 / 8), 3, 8)
    assert 0 <= man["a man"].low < 3 / 8 < man["a man"].high <= 1
    assert man["a woman"].change == 0
    assert {row.change for row in rows if row.group == "woman" and row.word != "a woman"} == {0.0}


def test_the_last_of_a_kind_is_never_left_out():
    given, who = noise(3, n=60, t=1, words=3)
    rows = class_design(given, np.array([False, False, True]), np.zeros(3, dtype=bool), who, seed=0)
    assert {row.word for row in rows} == {"word 0", "word 1"}
    added = np.array([False, False, True])
    rows = class_design(given, np.array([False, True, False]), added, who, seed=0)
    assert {row.word for row in rows} == {"word 2"}


def test_intervals_of_changes_are_those_of_resampled_pictures():
    given, who = noise(8, n=120, t=1, words=4)
    harmful = np.array([False, False, True, True])
    row = next(r for r in class_design(given, harmful, np.zeros(4, dtype=bool), who, 0) if r.word == "word 0")
    inside = given.mean[who.codes == 0]
    move = harmful[1 + inside[:, 1:].argmax(axis=1)].astype(int) - harmful[inside.argmax(axis=1)]
    rng = np.random.default_rng(0)
    drawn = [rng.choice(move, len(move)).mean() for _ in range(4000)]
    assert row.change == pytest.approx(move.mean())
    assert (row.low, row.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.02)


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
    low, high = np.quantile(drawn, [0.025, 0.975]) - (np.mean(drawn) - m.value)
    assert (m.low, m.high) == pytest.approx((max(low, 0), high), abs=0.02)
    assert m.p == pytest.approx(np.mean(dealt), abs=4 * np.sqrt(m.p * (1 - m.p) / 2000))


def test_harm_is_never_added_by_a_harmless_class():
    given, who = noise(6, n=90, t=1, words=6)
    rows = class_design(given, np.array([False, True, True, False, False, False]), np.arange(6) > 3, who, seed=0)
    rows = [row for row in rows if row.design == ADDED]
    assert {row.word for row in rows} == {"word 4", "word 5", ALL}
    assert all(row.change <= 0 and row.from_harm <= row.touched and row.to_harm == 0 for row in rows)
    together = {row.group: row.rate_after for row in rows if row.word == ALL}
    assert all(row.rate_after >= together[row.group] for row in rows)


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
