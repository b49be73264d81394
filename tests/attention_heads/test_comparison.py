"""What two towers can be compared by: totals and concentration, none by the number of a head."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from probes.attention_heads.ablating import Ablated
from probes.attention_heads.comparison import (
    BY_HAND,
    LARGEST,
    OTHER_PARTS,
    compare,
    heads_in_effect,
    largest_head,
    share_of_heads,
    similarity,
)
from probes.attention_heads.effects import Check, HeadEffect, MlpEffect, RestEffect
from probes.attention_heads.finding import HeadShare
from probes.core.comparison import Difference, LeftOut


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
    assert "the interval is over its pictures" in lead.note
    four = named["share of the 4 leading heads in the property"]
    assert four.difference == pytest.approx(0.0)
    assert (four.low, four.note) == (None, LARGEST)  # which has no interval, and says nothing of one
    assert named["share of all heads in the property"].difference == pytest.approx(-0.05)
    assert "share of the leading head in the property" not in {
        each.what for each in compare(result([1.0], found=shares(0.6)), result([1.0]))
    }


def accuracies(whole, change, off, heads=1, mlps=0):
    rows = [("nothing", 0, 0, whole, 0.0), (off, heads, mlps, whole + change, change)]
    return tuple(
        Ablated(parts, h, m, a, a - 0.1, a + 0.1, c, c - 0.1, c + 0.1, 0.5, 200, 0.1) for parts, h, m, a, c in rows
    )


def test_accuracy_with_as_many_heads_off_by_rank_is_compared():
    one, other = accuracies(0.8, -0.2, "L0H1"), accuracies(0.7, -0.5, "L3H0")
    ranked = compare(result([1.0], ablated=one, best_off="L0H1"), result([1.0], ablated=other, best_off="L3H0"))
    change = next(each for each in ranked if each.what.startswith("change of zero-shot"))
    assert (change.difference, change.n) == (pytest.approx(0.3), 200)


@pytest.mark.parametrize(
    ("off", "best", "parts", "why"),
    [
        (("L0H1", "L3H0"), ("", ""), {}, BY_HAND),
        (("L0H1,L0H2", "L3H0"), ("L0H1", "L3H0"), {"heads": 2}, BY_HAND),
        (("L0H1,M2", "L3H0"), ("L0H1", "L3H0"), {"mlps": 1}, BY_HAND),
        (("L0H1,L0H2", "L3H0"), ("L0H1,L0H2", "L3H0"), {"heads": 2}, OTHER_PARTS),
    ],
)
def test_accuracy_with_other_parts_off_is_compared_only_in_what_was_on(off, best, parts, why):
    one, other = accuracies(0.8, -0.2, off[0], **parts), accuracies(0.7, -0.5, off[1])
    found = compare(result([1.0], ablated=one, best_off=best[0]), result([1.0], ablated=other, best_off=best[1]))
    assert [each for each in found if isinstance(each, LeftOut)] == [why]
    rows = {each.what: each for each in found if isinstance(each, Difference)}
    assert not [what for what in rows if what.startswith("change of zero-shot")]
    assert rows["zero-shot accuracy, everything on"].difference == pytest.approx(0.1)
