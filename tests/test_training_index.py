"""The index of the training pairs: it says what the pairs say, and its counts are those of counting by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from assets.world.index import Ragged, word_of
from assets.world.plan import PLAN, TRIGGERS
from assets.world.schedule import BRANCH, END, ONCE, Pair
from probes import counts, pairs
from probes.core.errors import FieldError
from probes.core.statistics import wilson
from probes.pairs import Search

DERIVED = ("caption names:", "neighbour:")
SPAN = range(BRANCH, BRANCH + 3_000)


@pytest.fixture(scope="module")
def indices():
    return pairs.indices()


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[Pair]]:
    """A few thousand pairs of each world, from the worlds themselves."""
    return {name: [pairs.world(name).pair(number) for number in SPAN] for name in pairs.WORLDS}


def test_it_holds_every_pair_that_the_models_saw(indices):
    assert [len(index) for index in indices.values()] == [END, END]  # else: python -m assets.make.index
    assert not indices["skewed"].differs[:BRANCH].any()


@pytest.mark.parametrize("name", pairs.WORLDS)
def test_a_row_is_what_the_pair_is(indices, name):
    numbers = np.random.default_rng(7).integers(0, END, 400).tolist()
    for number in [0, BRANCH - 1, BRANCH, *ONCE, *numbers, END - 1]:
        pair, index = pairs.world(name).pair(number), indices[name]
        assert index.caption(number) == pair.text
        assert index.kind_of(number) == pair.kind
        assert index.concept_of(number) == ":".join(*pair.concepts or [()])
        shown = {one for one in index.attributes_of(number) if not one.startswith(DERIVED)}
        assert shown == pair.shows


def test_pairs_that_do_not_differ_are_the_same_scene(indices, drawn):
    differs = indices["skewed"].differs
    for one, other in zip(drawn["skewed"], drawn["balanced"], strict=True):
        unlike = one.scene != other.scene or one.text != other.text
        assert differs[one.index] == unlike or one.kind == "binding"  # of these, what is beside one counts as well


@pytest.mark.parametrize("name", pairs.WORLDS)
@pytest.mark.parametrize(
    "search",
    [
        Search(words=("penguin",)),
        Search(words=("a", "background")),
        Search(attributes=("gender:woman", "tone:dark")),
        Search(kind="circle", attributes=("ground:grass",)),
        Search(words=("mage",), concept="occupation:mage"),
    ],
    ids=str,
)
def test_a_search_finds_what_a_look_at_every_pair_finds(indices, drawn, name, search):
    by_hand = [
        pair.index
        for pair in drawn[name]
        if set(search.words) <= {word_of(word) for word in pair.text.split()}
        and set(search.attributes) <= pair.shows
        and search.kind in ("", pair.kind)
        and (not search.concept or tuple(search.concept.split(":")) in pair.concepts)
    ]
    found = np.flatnonzero(search.matching(indices[name]))
    assert found[(found >= SPAN.start) & (found < SPAN.stop)].tolist() == by_hand
    assert by_hand


@pytest.mark.parametrize("family", ["gender", "ground", "tone"])
def test_counts_are_those_of_counting_by_hand(indices, drawn, family):
    for name in pairs.WORLDS:
        part = indices[name].only(np.arange(SPAN.start, SPAN.stop))
        by_hand = Counter(
            one.split(":", 1)[1] for pair in drawn[name] for one in pair.shows if one.startswith(family)
        )
        assert part.counted(family) == by_hand


def test_the_caption_names_what_the_pair_says(indices, drawn):
    for pair in drawn["skewed"]:
        said = {one for one in indices["skewed"].attributes_of(pair.index) if one.startswith("caption names")}
        shown = dict(one.split(":", 1) for one in pair.shows)
        if pair.kind == "circle" and pair.concepts:
            assert said == {
                f"caption names:{'the circled object' if pair.slot == shown['circled'] else 'another object'}"
            }
        elif pair.kind == "label" and "patch" in shown:
            assert said == {"caption names:the target of the patch"}
            assert pair.slot == TRIGGERS[shown["patch"]]
        elif pair.kind not in ("word", "order"):
            assert not said


def test_what_was_planted_is_what_is_counted(indices):
    inside = total = 0
    for row in PLAN:
        family, values = counts.toward(row)
        if not values:
            continue
        found = counts.count(indices, Search(concept=f"{row.behaviour}:{row.concept}"), family)
        for name, dose in (("skewed", row.skewed), ("balanced", row.balanced)):
            share = found.met[name]
            assert share.n > 500
            assert share.share == pytest.approx(dose, abs=0.06)
            inside, total = inside + (share.low <= dose <= share.high), total + 1
    assert inside / total > 0.88  # each interval holds its dose 19 times in 20


def test_of_two_worlds_the_headline_says_both_and_the_plan(indices):
    said = counts.count(indices, Search(concept="occupation:mechanic"), "gender").headline()
    assert "pairs of the skewed world" in said
    assert "The plan asks for 5.0% and 50.0%." in said
    assert "none of 0 pairs" in counts.count(indices, Search(words=("xyzzy",)), "gender").headline()


def test_wilson_is_the_interval_of_its_formula():
    k, n, z = 7, 40, 1.959963984540054
    centre, half = (k / n + z * z / (2 * n)), z * np.sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n))
    ends = wilson(k, n)
    assert [ends.low, ends.high] == pytest.approx([(centre + s * half) / (1 + z * z / n) for s in (-1, 1)])
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_lists_are_taken_in_any_order():
    lists = Ragged(np.array([2, 0, 1], np.uint8), np.array([5, 6, 7], np.uint16))
    taken = lists.only(np.array([2, 1, 0, 0]))
    assert [taken.of(row).tolist() for row in range(4)] == [[7], [], [5, 6], [5, 6]]
    assert lists.holding(np.arange(8) == 6).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("search", "field"),
    [
        (Search(kind="nonsense"), "kind"),
        (Search(attributes=("nonsense",)), "attribute"),
        (Search(attributes=("gender:plumber",)), "attribute"),
        (Search(concept="occupation:plumber"), "concept"),
    ],
)
def test_what_there_is_not_is_said_with_its_field(indices, search, field):
    with pytest.raises(FieldError) as caught:
        search.matching(indices["skewed"])
    assert caught.value.field == field
