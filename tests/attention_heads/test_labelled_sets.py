"""Pictures with labels and groups: the shipped animals, and tables of a visitor's own."""

from __future__ import annotations

import io
from itertools import product

import numpy as np
import pytest

from assets.world.plan import ANIMALS
from probes.attention_heads.labelled_sets import (
    MOST,
    TO_CHOOSE,
    TO_MEASURE,
    UNUSUAL,
    USUAL,
    animals,
    from_table,
)
from probes.core.errors import FieldError
from probes.core.picture_sets import PictureFiles
from probes.core.tables import Table
from tests.fakes import noise


@pytest.mark.slow
def test_the_set_of_animals_is_crossed_for_the_choice_and_even_for_the_measure():
    set_ = animals(0)
    assert len(set(set_.names)) == len(set_)
    of = (set_.labels, set_.spurious, set_.groups, set_.first)
    labels, spurious, groups, first = (np.array(values) for values in of)
    for label, ground in product(set(set_.labels), ANIMALS):
        cell = (labels == label) & (spurious == ground)
        assert (cell & first).sum() == TO_CHOOSE
    for label in set(set_.labels):
        counted = [((labels == label) & ~first & (groups == group)).sum() for group in (USUAL, UNUSUAL)]
        assert counted == [TO_MEASURE, TO_MEASURE]
    penguin = (labels == "a penguin") & (spurious == "snow")
    assert set(groups[penguin]) == {USUAL}
    pictures = list(set_.read(set_.names[:2]))
    assert [one.name for one in pictures] == list(set_.names[:2])
    digests = {one.digest for one in set_.read(set_.names)}
    assert len(digests) == len(set_)  # no scene is in both parts


def files_and_table(rows, count=6):
    files = {f"p{i}.png": encoded(i) for i in range(count)}
    text = "\n".join(["file,bird,place", *rows])
    return PictureFiles.of_bytes(files, "own"), Table.read(text.encode(), "table.csv")


def encoded(seed):
    stream = io.BytesIO()
    noise(seed, 8, 8).image().save(stream, "PNG")
    return stream.getvalue()


def test_a_table_says_what_is_shown_and_what_is_spurious():
    rows = [f"p{i}.png,{'gull' if i % 2 else 'crow'},{'sea' if i < 3 else 'land'}" for i in range(5)]
    files, table = files_and_table([*rows, "p5.png,,sea", "lost.png,gull,sea"])
    set_ = from_table(files, table, "Bird", "place", 0)
    assert set_.names == tuple(f"p{i}.png" for i in range(5))
    assert set_.labels == ("crow", "gull", "crow", "gull", "crow")
    assert set_.groups == set_.spurious == ("sea", "sea", "sea", "land", "land")
    assert {(one.file, one.reason) for one in set_.left_out} == {
        ("p5.png", "no label, or no group"),
        ("lost.png", "there is no such picture"),
    }
    assert [one.name for one in set_.read(set_.names)] == list(set_.names)
    some = from_table(files, table, "bird", "place", 0, most=4)
    assert len(some) == 4
    assert some.notes == ("Taken were 4 of 5 pictures, by chance.",)
    assert MOST >= 1000


def test_halves_are_even_within_labels_and_groups():
    rows = [f"p{i}.png,{'gull' if i % 2 else 'crow'},{'sea' if i % 4 < 2 else 'land'}" for i in range(41)]
    set_ = from_table(*files_and_table(rows, 41), "bird", "place", 3)
    cells = np.array([f"{label} {group}" for label, group in zip(set_.labels, set_.groups, strict=True)])
    for cell in set(cells):
        inside = set_.first[cells == cell]
        assert abs(2 * inside.sum() - len(inside)) <= 1


@pytest.mark.parametrize(
    ("label", "group", "field", "said"),
    [("wing", "place", "label_column", "no column 'wing'"), ("bird", "shore", "column", "no column 'shore'")],
)
def test_columns_that_are_not_there_are_named(label, group, field, said):
    files, table = files_and_table(["p0.png,gull,sea", "p1.png,crow,land"])
    with pytest.raises(FieldError, match=said) as caught:
        from_table(files, table, label, group, 0)
    assert caught.value.field == field


def test_a_column_of_one_value_is_refused():
    files, table = files_and_table(["p0.png,gull,sea", "p1.png,gull,land"])
    with pytest.raises(FieldError, match="two different values") as caught:
        from_table(files, table, "bird", "place", 0)
    assert caught.value.field == "label_column"
