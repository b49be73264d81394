"""What is spurious, planted in one head and dropped; choices and accuracies against independent short versions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from probes.attention_heads.ablating import without
from probes.attention_heads.carrying import carried_between_pictures, scatter
from probes.attention_heads.choosing import carried_within, choose
from probes.attention_heads.dropping import Dropped, _taken_apart, drop, dropped
from probes.attention_heads.dropping_figures import dropped as drawn
from probes.attention_heads.group_accuracy import ALL, WORST
from probes.attention_heads.labelled_sets import (
    LabelledSet,
    animals,
)
from probes.attention_heads.sentences import of_dropped
from probes.backend import load
from probes.core.decomposition import Decomposition
from probes.core.errors import CapabilityError, FieldError
from probes.core.picture_sets import Unreadable
from probes.core.switches import Switches
from tests.attention_heads.test_carrying import tower
from tests.fakes import PixelBackend, noise

WORDS = ("a bird", "a fish")
GROUNDS = ("land", "water")
SPURIOUS, TRUE = (1, 2), (0, 1)
"""Heads (layer, head) that write the ground and the animal."""


def labelled(labels, groups, first):
    """A set whose pictures nobody reads."""
    names = tuple(f"{place}.png" for place in range(len(labels)))
    return LabelledSet(
        "planted",
        names,
        tuple(WORDS[label] for label in labels),
        tuple(GROUNDS[group] for group in groups),
        tuple(GROUNDS[group] for group in groups),
        np.asarray(first, bool),
        lambda names: iter([noise(int(name[:-4]), 8, 8) for name in names]),
    )


def planted(n=400, strength=4.0, together=0.5, seed=0):
    """Two labels on two grounds, taken apart: one head writes the label, another writes the ground as a label.

    `together` is the share of pictures whose ground is that of their label; the first texts are the directions of
    the labels. With a strong enough head of the ground, whatever is on the wrong ground is taken for the other.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    groups = np.where(rng.random(n) < together, labels, 1 - labels)
    first = np.arange(n) % 2 == 0
    shape = (n, 2, 3, 2)
    outputs = 0.05 * rng.normal(size=shape)
    writes = np.zeros((2, 3, 2, 8))
    writes[..., 0, 0], writes[..., 1, 1] = 1, 1  # dimensions 0 and 1 are those of the texts
    for (layer, head), codes, size in ((TRUE, labels, 1.0), (SPURIOUS, groups, strength)):
        outputs[:, layer, head] += size * np.eye(2)[codes]
    taken = Decomposition(
        outputs.astype(np.float32),
        writes.astype(np.float32),
        np.zeros((n, 2, 8), np.float32),
        np.zeros((n, 8), np.float32),
        np.zeros((n, 8), np.float32),
        np.zeros((n, 8), np.float32),
        0.0,
        ("layer 0", "layer 1"),
    )
    # embeddings of unit length, as a tower gives them
    total = taken.total()
    length = np.linalg.norm(total, axis=1)
    object.__setattr__(taken, "outputs", (taken.outputs / length[:, None, None, None]).astype(np.float32))
    object.__setattr__(taken, "embedding", (total / length[:, None]).astype(np.float32))
    return taken, labelled(labels, groups, first), np.eye(8, dtype=np.float32)[:2]


def rows_of(found, heads):
    return {row.group: row for row in found.rows if row.heads == heads}


def test_dropping_the_head_that_writes_the_ground_repairs_the_worst_group_and_heads_by_chance_do_not():
    taken, set_, texts = planted()
    found = dropped(taken, set_, WORDS, texts, (1,), 0)
    assert [(one.layer, one.head) for one in found.chosen] == [SPURIOUS]
    assert found.chosen[0].spurious > 0.8
    assert found.worst_of == "all pairs of label and group"
    worst = rows_of(found, 1)[WORST]
    assert worst.before == 0
    assert worst.after == 1
    assert worst.change == worst.change_low == worst.change_high == 1
    assert worst.p_adjusted < 0.001
    assert worst.random < 0.4  # one of six heads is the right one
    assert worst.before_high < 0.15  # Wilson's, not the point that resampling gives
    assert worst.after_low > 0.85
    assert worst.worst_before in {"a bird, water", "a fish, land"}
    everything = rows_of(found, 1)[ALL]
    assert everything.n == 200
    assert 0.35 < everything.before < 0.65


def test_where_nothing_is_spurious_dropping_repairs_nothing():
    taken, set_, texts = planted(strength=0.0)
    worst = rows_of(dropped(taken, set_, WORDS, texts, (1,), 0), 1)[WORST]
    assert worst.before == worst.after == 1
    assert (worst.change, worst.p, worst.random_p) == (0, 1, 1) or worst.random_p > 0.05


def test_the_headline_says_where_there_is_nothing_to_choose_by():
    taken, set_, texts = planted()
    found = dropped(taken, set_, WORDS, texts, (1,), 0)
    assert of_dropped(found).startswith("On planted, dropping L1H2 moves the worst group from ")
    assert "no heads are to be chosen" in of_dropped(replace(found, carried=-0.1))
    assert of_dropped(None) == ""


def test_labels_and_groups_that_go_together_are_told_apart():
    taken, set_, _ = planted(n=600, together=0.9)
    labels, groups = (np.array([values.index(v) for v in of]) for values, of in
                      ((WORDS, set_.labels), (GROUNDS, set_.groups)))  # fmt: skip
    spurious, _ = carried_within(taken, groups, labels)
    wanted, _ = carried_within(taken, labels, groups)
    assert np.unravel_index(spurious.argmax(), spurious.shape) == SPURIOUS
    assert np.unravel_index(wanted.argmax(), wanted.shape) == TRUE
    assert spurious[TRUE] < 0.1


def test_a_head_that_carries_the_labels_too_is_spared():
    taken, set_, _ = planted(strength=1.0)
    labels, groups = (np.array([values.index(v) for v in of]) for values, of in
                      ((WORDS, set_.labels), (GROUNDS, set_.groups)))  # fmt: skip
    both = taken.outputs.copy()
    # a head that writes the ground half as strongly as the one that does nothing else, and the label as strongly
    both[:, 0, 0] += 0.5 * (both[:, SPURIOUS[0], SPURIOUS[1]] + both[:, TRUE[0], TRUE[1]])
    taken = replace(taken, outputs=both)
    taken = replace(taken, embedding=taken.total())
    chosen, carried = choose(taken, labels, groups, 6)
    assert carried > 0
    order = [(one.layer, one.head) for one in chosen]
    assert order[0] == SPURIOUS
    assert order[-1] == TRUE
    assert chosen[order.index((0, 0))].spurious > 0.2
    assert chosen[1].spurious < 0.05  # heads of noise come before the one that carries both
    assert sum(one.spurious for one in chosen) == pytest.approx(1, abs=1e-5)
    assert sum(one.labels for one in chosen) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("sets", [2, 3])
def test_scatter_is_that_of_what_parts_carry(sets):
    codes = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2][: 7 if sets == 2 else 9])
    taken = tower(len(codes), seed=sets)
    expected = carried_between_pictures(taken, codes, 0)
    x = taken.embedding.astype(np.float64)
    for part, value in zip(expected.parts, expected.values, strict=True):
        if part.kind == "head":
            t = taken.outputs[:, part.layer, part.head].astype(np.float64)
            found = scatter(t, x @ taken.writes[part.layer, part.head].T, codes)
            assert found == pytest.approx(value, rel=1e-4, abs=1e-6)
    assert scatter(x, x, codes) == pytest.approx(expected.total, rel=1e-4, abs=1e-6)
    shares, total = carried_within(taken, codes, np.zeros(len(codes), np.intp))  # one stratum changes nothing
    assert total == pytest.approx(expected.total, rel=1e-4, abs=1e-6)
    places = [(part.layer, part.head) for part in expected.parts if part.kind == "head"]
    told = np.nan_to_num(expected.shares[: len(places)])  # nothing, where there is no property
    np.testing.assert_allclose([shares[place] for place in places], told, rtol=1e-3)


def test_sets_of_one_picture_are_left_out_of_the_choice():
    taken = tower(8, seed=4)
    codes = np.array([0, 0, 0, 1, 1, 1, 2, 3])
    strata = np.zeros(8, np.intp)
    shares, total = carried_within(taken, codes, strata)
    assert total is not None
    assert np.isfinite(shares).all()
    nothing, none = carried_within(taken, np.array([0, 0, 0, 0, 0, 0, 1, 2]), strata)
    assert none is None
    assert not nothing.any()


def small(count=3):
    """Some pictures of the shipped set, of both parts."""
    set_ = animals(0)
    chosen = [place for place, label in enumerate(set_.labels) if label in {"a cow", "a camel", "a penguin"}]
    return set_.taken(chosen[::count])


@pytest.mark.slow
def test_dropped_heads_are_those_of_a_model_without_them():
    backend, set_ = load("bundled:skewed"), small()
    pictures = list(set_.read(set_.names))
    first, second = ([p for p, f in zip(pictures, set_.first, strict=True) if f is np.bool_(side)]
                     for side in (True, False))  # fmt: skip
    own, other = backend.decompose(first), backend.decompose(second)
    switches = Switches(frozenset({(5, 1), (1, 5)}))
    off = backend.without(switches, first)
    images = without(other, own, switches)
    np.testing.assert_allclose(images, off.encode_images(second), atol=2e-5)
    found = drop(backend, set_, (1, 2), 0, templates=("{}",))
    words = tuple(dict.fromkeys(set_.labels))
    texts = backend.encode_texts(words)
    heads = frozenset((one.layer, one.head) for one in found.chosen[:2])
    images = backend.without(Switches(heads), first).encode_images(second)
    labels = np.array([words.index(label) for label, f in zip(set_.labels, set_.first, strict=True) if not f])
    assert rows_of(found, 2)[ALL].after == pytest.approx(((images @ texts.T).argmax(axis=1) == labels).mean())
    assert (found.to_choose, found.to_measure) == (len(first), len(second))
    again = TypeAdapter(Dropped).validate_json(TypeAdapter(Dropped).dump_json(found))
    assert again == found
    assert drop(backend, set_, (1, 2), 0, templates=("{}",)) == found
    figure = drawn(found, 1)
    assert [len(bar.x) for bar in figure.data] == [4, 4, 4]
    assert figure.data[1].x[0] == rows_of(found, 1)[ALL].after
    with pytest.raises(ValueError, match="5 heads"):
        drawn(found, 5)


def test_too_many_heads_too_few_pictures_and_models_without_heads_are_refused():
    taken, set_, texts = planted(n=60)
    with pytest.raises(FieldError, match="all 6 heads"):
        dropped(taken, set_, WORDS, texts, (7,), 0)
    alike = replace(set_, spurious=("land",) * 60)
    with pytest.raises(FieldError, match="two groups of two"):
        dropped(taken, alike, WORDS, texts, (1,), 0)
    nobody = replace(set_, first=np.ones(60, bool))
    with pytest.raises(FieldError, match="both"):
        dropped(taken, nobody, WORDS, texts, (1,), 0)
    with pytest.raises(CapabilityError):
        drop(PixelBackend(), set_, (1,), 0)


class _Taker(PixelBackend):
    """Takes pictures apart into noise."""

    def decompose(self, pictures, by_token=False, progress=None):
        return tower(len(pictures), seed=len(pictures))


def test_pictures_that_cannot_be_read_are_left_out_with_their_labels():
    set_ = labelled([0, 1, 0, 1], [0, 0, 1, 1], [True, False, True, False])
    lost = replace(
        set_, read=lambda names: (Unreadable(n, "broken") if n == "1.png" else noise(0, 8, 8) for n in names)
    )
    taken, kept, left_out = _taken_apart(_Taker(), lost, (1,), lambda share, doing: None)
    assert len(taken.embedding) == len(kept) == 3
    assert kept.names == ("0.png", "2.png", "3.png")
    assert kept.labels == ("a bird", "a bird", "a fish")
    assert kept.first.tolist() == [True, True, False]
    assert [(one.file, one.reason) for one in left_out] == [("1.png", "broken")]
    with pytest.raises(FieldError, match="all 6 heads"):  # before all are taken apart
        _taken_apart(_Taker(), set_, (7,), lambda share, doing: None)
    nothing = replace(set_, read=lambda names: (Unreadable(n, "broken") for n in names))
    with pytest.raises(FieldError, match="none of the pictures"):
        _taken_apart(_Taker(), nothing, (1,), lambda share, doing: None)
