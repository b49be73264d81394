"""Marks as they are written: read back what was written, and refused with a sentence."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.marks import COLOURS, SHAPES, Mark, Marks, as_json, parse_mark

CONTROL = Marks(label="Marks", on="images", most=3)
shares = st.integers(0, 1000).map(lambda value: value / 1000)
styles = {
    "colour": st.one_of(st.sampled_from(list(COLOURS)), st.just("#1a2b3c")),
    "width": st.integers(2, 200).map(lambda value: value / 1000),
    "fill": st.integers(0, 20).map(lambda value: value / 20),
}
round_marks = st.builds(
    Mark,
    shape=st.sampled_from(["circle", "point"]),
    points=st.tuples(st.tuples(shares, shares)),
    radius=st.integers(5, 750).map(lambda value: value / 1000),
    **styles,
)
long_marks = st.builds(
    Mark,
    shape=st.sampled_from(["ellipse", "rectangle", "arrow"]),
    points=st.tuples(st.tuples(shares, shares), st.tuples(shares, shares)).filter(
        lambda ends: min(abs(ends[0][0] - ends[1][0]), abs(ends[0][1] - ends[1][1])) > 0.011
    ),
    **styles,
)
marks = st.one_of(round_marks, long_marks)


@given(marks)
def test_a_mark_is_read_back_as_it_was_written(mark):
    assert parse_mark(str(mark)) == mark
    assert CONTROL.parse([as_json(mark)]) == (mark,)


def test_the_shortest_way_to_write_a_mark_is_that_of_the_paper():
    assert parse_mark("circle 0.3,0.4 0.06") == Mark("circle", ((0.3, 0.4),), 0.06, "red", 0.01, 0.0)
    assert str(Mark("circle", ((0.3, 0.4),), 0.06)) == "circle 0.3,0.4 0.06"
    assert (
        str(Mark("arrow", ((0.1, 0.9), (0.3, 0.4)), colour="blue", width=0.03))
        == "arrow 0.1,0.9 0.3,0.4 blue width=0.03"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blob 0.3,0.4 0.06", '"blob" is no mark; there are circle, ellipse'),
        ("circle 0.3,0.4", "takes its centre and radius"),
        ("circle 0.3 0.4 0.06", "takes its centre and radius"),
        ("circle 0.3,0.4 red", "takes its centre and radius"),
        ("circle 0.3,0.4 0.9", "the radius of 0.9 is not between"),
        ("circle 1.3,0.4 0.06", "lies outside of the picture"),
        ("circle nan,0.4 0.06", "a place of nan is not between"),
        ("circle 0.3,0.4 0.06 mauve", '"mauve" in "circle 0.3,0.4 0.06 mauve" is neither a colour'),
        ("circle 0.3,0.4 0.06 width=x", 'width is a number, not "x"'),
        ("circle 0.3,0.4 0.06 width=0.5", "the line width of 0.5 is not between"),
        ("circle 0.3,0.4 0.06 fill=2", "fill of 2 is not between"),
        ("rectangle 0.1,0.2", "a rectangle takes two points"),
        ("rectangle 0.1,0.2 0.1,0.8", "lie too near to one another"),
        ("arrow 0.1,0.2 0.101,0.2", "lie too near to one another"),
    ],
)
def test_what_is_wrong_with_a_mark_is_said(text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        CONTROL.parse([text])


def test_as_many_marks_as_are_allowed():
    assert len(CONTROL.parse("circle 0.3,0.4 0.06\n\npoint 0.5,0.5 0.02")) == 2
    for given_marks in ([], "", ["circle 0.3,0.4 0.06"] * 4):
        with pytest.raises(ValueError, match="draw 1 to 3 marks"):
            CONTROL.parse(given_marks)
    for broken in ([{"shape": "circle"}], [{"shape": "circle", "points": [[1]], "radius": 1, "colour": "red"}]):
        with pytest.raises(ValueError, match="this is no mark"):
            CONTROL.parse(broken)


@given(marks, shares, shares)
def test_a_moved_mark_has_its_size_and_its_new_centre(mark, x, y):
    moved = mark.moved_to(x, y)
    assert moved.centre == pytest.approx((x, y), abs=2e-6)
    before, after = mark.box(1.5), moved.box(1.5)
    assert after[2] - after[0] == pytest.approx(before[2] - before[0], abs=3e-6)
    assert after[3] - after[1] == pytest.approx(before[3] - before[1], abs=3e-6)


@given(marks, st.floats(0.25, 4))
def test_a_scaled_mark_keeps_its_centre_and_line(mark, factor):
    scaled = mark.scaled(factor)
    assert scaled.centre == pytest.approx(mark.centre, abs=2e-6)
    assert scaled.width == mark.width
    before, after = mark.box(1.5), scaled.box(1.5)
    assert after[2] - after[0] == pytest.approx(factor * (before[2] - before[0]), abs=3e-6)


def test_every_shape_has_a_count_of_points():
    assert {shape: count for shape, count in SHAPES.items() if count == 1} == {"circle": 1, "point": 1}
    assert replace(parse_mark("circle 0.5,0.5 0.1"), colour="#ff8000").ink == (255, 128, 0)
