"""What two towers can be compared by: totals and concentration, none by the number of a head."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from probes.attention_heads.ablating import Ablated
from probes.attention_heads.comparison import (
    compare,
    heads_in_effect,
    largest_head,
    share_of_heads,
    similarity,
)
from probes.attention_heads.effects import Check, HeadEffect, MlpEffect, RestEffect
from probes.attention_heads.finding import HeadShare


def result(beyond, usual=0.1, mlps=(0.2,), **given):
    """A tower whose heads stray by `beyond` from what they usually add."""
    rows = tuple(
        HeadEffect(0, head, usual + float(value), usual, float(value), 0.5, 1.0)
        for head, value in enumerate(beyond)
    )
    effects = SimpleNamespace(
        rows=rows,
        mlp_rows=tuple(MlpEffect(layer, value, 0.0, value) for layer, value in enumerate(mlps)),
        rest=(RestEffect("biases", -0.1),),
        check=Check(0.0, 0.3, 0.3),
    )
    nothing = {"found": (), "ablated": (), "best_off": "", "dropped": None, "words": None, "segmented": None}
    return SimpleNamespace(effects=effects, logit_scale=20.0, **{**nothing, **given})


def test_one_head_and_all_heads_are_the_ends_of_concentration():
    alone, alike = result([1.0, 0, 0, 0]), result([0.5, -0.5, 0.5, -0.5])
    assert (heads_in_effect(alone), largest_head(alone)) == (0.25, 1.0)
    assert (heads_in_effect(alike), largest_head(alike)) == (1.0, 0.25)
    still = result([0.0, 0.0])
    assert (heads_in_effect(still), largest_head(still)) == (1.0, 0.5)


def test_concentration_knows_neither_the_order_of_heads_nor_their_scale():
    values = np.random.default_rng(0).normal(size=12)
    for measure in (heads_in_effect, largest_head):
        assert measure(result(values)) == pytest.approx(measure(result(7 * values[::-1])))


def test_totals_by_hand():
    one = result([0.1, -0.3], usual=0.0, mlps=(0.2, -0.3))
    assert share_of_heads(one) == pytest.approx(0.4 / (0.4 + 0.5 + 0.1))
    assert similarity(one) == pytest.approx(6.0)


def test_towers_of_other_sizes_are_compared_and_have_no_interval():
    found = compare(result([1.0, 0.0]), result([1.0] * 24))
    assert [each.n for each in found] == [1] * 4
    assert all(each.low is None and each.p is None for each in found)
    spread = next(each for each in found if "spread" in each.what)
    assert spread.difference == pytest.approx(0.5 - 1.0)


def shares(*values):
    return tuple(
        HeadShare(f"L0H{i}", "head", 0, i, v, v, v - 0.1, v + 0.1, 0.01, 0.02) for i, v in enumerate(values)
    )


def test_a_property_is_compared_by_how_concentrated_it_is():
    found = compare(
        result([1.0], found=shares(0.6, 0.2, 0.1)), result([1.0], found=shares(0.3, 0.3, 0.2, 0.1, 0.05))
    )
    named = {each.what: each for each in found}
    lead = named["share of the leading head in the property"]
    assert (lead.difference, lead.high) == (pytest.approx(0.3), pytest.approx(0.3 + 0.1 * np.sqrt(2)))
    assert named["share of the 4 leading heads in the property"].difference == pytest.approx(0.0)
    assert named["share of all heads in the property"].difference == pytest.approx(-0.05)
    assert "share of the leading head in the property" not in {
        each.what for each in compare(result([1.0], found=shares(0.6)), result([1.0]))
    }


def test_accuracy_with_heads_off_by_rank_is_compared_and_by_hand_only_what_was_on():
    def accuracies(whole, change):
        rows = [("nothing", whole, 0.0), ("L0H1", whole + change, change)]
        return tuple(
            Ablated(off, 1, 0, a, a - 0.1, a + 0.1, c, c - 0.1, c + 0.1, 0.5, 200, 0.1) for off, a, c in rows
        )

    one, other = accuracies(0.8, -0.2), accuracies(0.7, -0.5)
    ranked = compare(result([1.0], ablated=one, best_off="L0H1"), result([1.0], ablated=other, best_off="L3H0"))
    change = next(each for each in ranked if each.what.startswith("change of zero-shot"))
    assert (change.difference, change.n) == (pytest.approx(0.3), 200)
    by_hand = compare(result([1.0], ablated=one), result([1.0], ablated=other))
    assert not [each for each in by_hand if each.what.startswith("change of zero-shot")]
    assert next(each for each in by_hand if "everything on" in each.what).difference == pytest.approx(0.1)
