"""What must not matter, and what must turn the sign: sets that cover every measure there is."""

from __future__ import annotations

import numpy as np
import pytest

from probes.bias_audit.association import association_measures, weat_measure
from probes.bias_audit.counterfactual import counterfactual_differences
from probes.bias_audit.ranking import ranking_measures
from probes.bias_audit.rates import harm_rates
from probes.bias_audit.result import SIGNED
from tests.bias_audit.planted import grouping, scores, unit

MEASURES = {
    "max_skew", "min_skew", "ndkl", "entropy", "weat", "sc_eat", "association_difference", "harm_rate",
    "selection_rate", "counterfactual_difference",
}  # fmt: skip
SIGN_TURNS = {"association_difference", "sc_eat", "weat", "counterfactual_difference"}
"""Measures of the first group against the rest: another first group turns their sign."""
ROWS_CHANGE_PLACES = {"selection_rate", "harm_rate", "max_skew", "min_skew"}
"""Measures of a named group: with the names exchanged the rows carry the other name."""
BLIND_TO_NAMES = {"ndkl", "entropy"}

N, D = 60, 16
HARMFUL = np.array([False, False, True, True, False])


def audit(turn=None, order=None, names=("first", "second"), flip=False):
    """Every measure of the same pictures, turned, in another order, or with the groups exchanged."""
    rng = np.random.default_rng(0)
    turn = np.eye(D) if turn is None else turn
    order = np.arange(N) if order is None else order
    codes = (rng.permutation(N) % 3 == 0).astype(np.intp)
    images = unit(unit(rng.normal(size=(N, D))) @ turn)[order]
    texts = unit(unit(rng.normal(size=(2, 5, D))) @ turn)
    codes = (1 - codes if flip else codes)[order]
    who = grouping(codes, names)
    given = scores(np.einsum("nd,tld->ntl", images, texts))
    x, y = (images[codes == g] for g in (0, 1))
    places = np.argsort(order)
    pairs = np.stack([places[:20], places[20:40]], axis=1)
    found = [
        *ranking_measures(given, who, 10, seed=0),
        *association_measures(given, who, seed=0),
        *harm_rates(given, HARMFUL, who, seed=0),
        *counterfactual_differences(
            given.cosines, pairs[:, ::-1] if flip else pairs, given.words, seed=0, group=names[0]
        ),
        weat_measure(x, y, texts[:, :2], texts[:, 2:4], variant="v", word="A / B", group="X − Y", seed=0),
    ]
    return {(m.measure, m.variant, m.word, m.group): m for m in found}


BASE = audit()


def test_the_sets_cover_every_measure():
    assert {key[0] for key in BASE} == MEASURES
    assert SIGN_TURNS | ROWS_CHANGE_PLACES | BLIND_TO_NAMES == MEASURES
    assert SIGN_TURNS == SIGNED


def test_rotation_of_the_space_does_not_matter():
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(D, D)))[0]
    turned = audit(turn=turn)
    assert turned.keys() == BASE.keys()
    for key, m in BASE.items():
        assert turned[key].value == pytest.approx(m.value, abs=2e-6), key
        assert turned[key].by_wording == pytest.approx(m.by_wording, abs=4e-6), key


def test_order_of_pictures_does_not_matter():
    shuffled = audit(order=np.random.default_rng(4).permutation(N))
    for key, m in BASE.items():
        assert shuffled[key].value == pytest.approx(m.value, abs=2e-6), key
        assert shuffled[key].n == m.n
        if m.p is not None:
            assert shuffled[key].p == pytest.approx(m.p, abs=0.03), key


def test_exchanging_the_groups_turns_the_sign_or_the_rows():
    """The same pictures with the codes exchanged: group 0 is now who was group 1."""
    other = audit(names=("second", "first"), flip=True)
    for key, m in BASE.items():
        kind, variant, word, group = key
        if kind in SIGN_TURNS - {"association_difference", "sc_eat"}:
            moved = other[kind, variant, word, "second" if group == "first" else group]
            assert moved.value == pytest.approx(-m.value, abs=2e-6), key
        else:  # rows keep their names, as the names went with the pictures
            assert other[key].value == pytest.approx(m.value, abs=2e-6), key
    renamed = audit(names=("second", "first"))
    for (kind, variant, word, group), m in BASE.items():
        swapped = {"first": "second", "second": "first"}.get(group, group)
        assert renamed[kind, variant, word, swapped].value == pytest.approx(m.value, abs=2e-6)


def test_two_groups_mirror_each_other():
    for kind in ("association_difference", "sc_eat"):
        for word in {key[2] for key in BASE if key[0] == kind}:
            one, two = BASE[kind, "", word, "first"], BASE[kind, "", word, "second"]
            assert (one.value, one.low, one.p) == (
                pytest.approx(-two.value), pytest.approx(-two.high, abs=1e-6), two.p,
            )  # fmt: skip
