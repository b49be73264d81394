"""Mitigation: identities, a planted attribute on an axis of its own, and nothing where nothing is planted."""

from __future__ import annotations

import numpy as np
import pytest

from probes.bias_audit import mitigation
from probes.bias_audit.mitigation import METHODS, Space, association, changed_space, halves, mitigate, without
from tests.bias_audit.planted import grouping, unit

D, GROUP_AXIS = 12, 0


def world(seed, strength):
    """Pictures whose group lies on axis 0 and whose class on axes 1 to 3; words that lean on axis 0 by a dose."""
    rng = np.random.default_rng(seed)
    n = 240
    codes, classes = np.arange(n) % 2, rng.integers(0, 3, n)
    images = rng.normal(0, 0.1, (n, D))
    images[:, GROUP_AXIS] += strength * (1 - 2 * codes)
    images[np.arange(n), 1 + classes] += 1
    words = rng.normal(0, 0.3, (1, 10, D))
    words[..., GROUP_AXIS] = strength * np.linspace(-2, 2, 10)
    groups = np.zeros((1, 2, D))
    groups[0, :, 5] = 1
    groups[0, 0, GROUP_AXIS], groups[0, 1, GROUP_AXIS] = 1, -1
    task = np.eye(D)[None, 1:4]
    return unit(images), unit(words), unit(groups), unit(task), codes, classes


def judged(seed, strength, changed="both"):
    images, words, groups, task, codes, classes = world(seed, strength)
    rows = mitigate(
        images=images, words=words, groups=groups, task=task, task_codes=classes, grouping=grouping(codes),
        seed=0, changed=changed,
    )  # fmt: skip
    return {(row.method, row.words): row for row in rows}


@pytest.mark.parametrize("changed", ["texts", "both"])
def test_a_planted_association_is_reduced_to_chance_at_no_cost(changed):
    rows = judged(0, 0.5, changed)
    for words in ("fitted", "held out"):
        for method in ("projection", "projection_of_texts", "closed_form", "neutral_only"):
            row = rows[method, words]
            assert row.before > 1.0
            assert row.after < 2.5 * row.chance_after, method
            assert row.accuracy_before > 0.95
            assert abs(row.accuracy_after - row.accuracy_before) < 0.03
            assert row.accuracy_change_low <= row.accuracy_after - row.accuracy_before <= row.accuracy_change_high
    assert rows["dimension_removal", "held out"].after < rows["dimension_removal", "held out"].before / 3
    assert rows["neutral_only", "fitted"].naming_after == rows["neutral_only", "fitted"].naming_before > 0.95
    assert rows["projection", "fitted"].naming_after < 0.7


def test_nothing_planted_is_nothing_found():
    for row in judged(1, 0.0).values():
        assert row.before == pytest.approx(row.chance_before, abs=0.08)
        assert row.before_low == 0.0 or row.before_low < row.before


def test_projection_takes_the_axis_out_and_nothing_else():
    rng = np.random.default_rng(0)
    axis = np.eye(D)[:, :1]
    rows = unit(rng.normal(size=(20, D))).astype(np.float64)
    once = without(rows, axis)
    assert np.abs(once[:, 0]).max() < 1e-12
    assert without(once, axis) == pytest.approx(once, abs=1e-12)
    kept = rows[:, 1:] / np.linalg.norm(rows[:, 1:], axis=1, keepdims=True)
    assert once[:, 1:] == pytest.approx(kept, abs=1e-9)
    assert np.linalg.norm(once, axis=1) == pytest.approx(np.ones(20))


@pytest.mark.parametrize("method", [m for m in METHODS if m != "dimension_removal"])
def test_methods_turn_with_the_space(method):
    """In a rotated space a method does the same. Removing dimensions cannot: it knows the axes."""
    images, words, groups, task, codes, _ = (np.asarray(a) for a in world(3, 0.4))
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(D, D)))[0]
    fit, seen = np.arange(0, 240, 2) + (np.arange(120) % 2), np.arange(5)

    def scores(rotation):
        space = Space(*(a.astype(np.float64) @ rotation for a in (images, words, groups, task)))
        after = changed_space(method, space, fit, seen, codes, "both")
        return after.images @ after.words[0].T

    assert scores(turn) == pytest.approx(scores(np.eye(D)), abs=1e-6)


def test_the_halves_are_disjoint_and_hold_every_group_by_half():
    codes = np.array([0] * 21 + [1] * 40)
    first, second = halves(codes, seed=4)
    assert sorted([*first, *second]) == list(range(61))
    assert np.bincount(codes[first]).tolist() == [10, 20]


def test_association_is_the_definition_and_blind_to_scale():
    rng = np.random.default_rng(0)
    scores, codes = rng.normal(size=(60, 5)), np.arange(60) % 3
    means = np.stack([scores[codes == g].mean(axis=0) for g in range(3)])
    expected = ((means.max(axis=0) - means.min(axis=0)) / scores.std(axis=0)).mean()
    assert float(association(scores, codes)) == pytest.approx(expected)
    assert float(association(0.01 * scores + 3, codes)) == pytest.approx(expected)
    assert float(association(np.ones((60, 2)), codes)) == 0.0


def test_dimensions_are_ranked_by_what_they_add():
    images, words, *_ = world(0, 0.5)
    gone = mitigation.biased_dimensions(images.astype(float), np.arange(240) % 2, words[0].astype(float))
    assert gone.tolist() == [GROUP_AXIS]


def test_an_unknown_method_is_refused():
    space = Space(np.zeros((4, 2)), np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), None)
    with pytest.raises(ValueError, match="there is no method"):
        changed_space("magic", space, np.arange(2), np.arange(1), np.array([0, 1, 0, 1]), "both")
