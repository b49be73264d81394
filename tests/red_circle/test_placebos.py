"""Placebos share all but one thing with the treatment: by construction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.core.marks import COLOURS, Mark
from probes.red_circle.drawing import Treatment, draw, ink
from probes.red_circle.placebos import SCATTERED, as_shape, colours, elsewhere, scattered, shapes
from tests.fakes import grey, noise

CIRCLE = Mark("circle", ((0.3, 0.4),), 0.1, width=0.03)
OTHERS = {
    "rectangle": Mark("rectangle", ((0.3, 0.3), (0.5, 0.6))),
    "ellipse": Mark("ellipse", ((0.3, 0.3), (0.5, 0.6))),
    "arrow": Mark("arrow", ((0.3, 0.3), (0.5, 0.6)), width=0.03),
    "point": Mark("point", ((0.4, 0.4),), 0.1),
}


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.02, 0.2), st.integers(0, 99))
def test_placebos_elsewhere_are_whole_the_same_and_away(x, y, radius, seed):
    picture, circle = grey(120, 160), Mark("circle", ((x, y),), radius, "blue", 0.02)
    places = elsewhere(picture, Treatment((circle,)), 30, seed)
    assert len(places) == 30
    for placebo in places:
        (mark,) = placebo.treatment.marks
        assert replace(mark, points=circle.points) == circle
        ((px, py),) = mark.points
        assert np.hypot((px - x) * 160, (py - y) * 120) >= radius * 60 - 1e-9
        reach = (radius + 0.01) * 120
        assert reach - 1e-6 <= px * 160 <= 160 - reach + 1e-6
        assert reach - 1e-6 <= py * 120 <= 120 - reach + 1e-6


@pytest.mark.parametrize("shape", OTHERS)
def test_other_shapes_move_whole_and_keep_their_form(shape):
    mark = OTHERS[shape]
    for placebo in elsewhere(grey(), Treatment((mark,), "greyed"), 20, 0):
        assert placebo.treatment.outside == "greyed"
        (moved,) = placebo.treatment.marks
        by_hand = mark.moved_to(*moved.centre)
        assert replace(moved, points=by_hand.points) == by_hand
        assert moved.points == tuple(pytest.approx(point) for point in by_hand.points)
        left, top, right, bottom = moved.box(160 / 120)
        assert min(left, top) >= 0
        assert max(right, bottom) <= 1


def test_a_small_move_keeps_most_placebos():
    first = {p.what for p in elsewhere(grey(), Treatment((CIRCLE,)), 60, 0)}
    moved = CIRCLE.moved_to(0.32, 0.41)
    second = {p.what for p in elsewhere(grey(), Treatment((moved,)), 60, 0)}
    assert len(first & second) > 50


def test_no_room_gives_no_placebos():
    large = Mark("circle", ((0.5, 0.5),), 0.5)
    assert elsewhere(grey(), Treatment((large,)), 10, 0) == ()
    assert elsewhere(grey(), Treatment((CIRCLE, large)), 10, 0) == ()


def test_several_marks_each_go_somewhere_else():
    other = Mark("point", ((0.8, 0.8),), 0.05)
    for placebo in elsewhere(grey(), Treatment((CIRCLE, other)), 10, 0):
        first, second = placebo.treatment.marks
        assert first.radius == 0.1
        assert second.radius == 0.05
        assert first.points != CIRCLE.points
        assert second.points != other.points


def test_other_colours_are_all_but_those_used():
    found = colours(Treatment((CIRCLE, replace(CIRCLE, colour="#0000ff"))))
    assert [one.what for one in found] == [name for name in COLOURS if name not in ("red", "blue")]
    for one in found:
        assert {mark.colour for mark in one.treatment.marks} == {one.what}
        assert all(replace(mark, colour="red") == CIRCLE for mark in one.treatment.marks[:1])


def test_other_shapes_are_at_the_same_place_and_of_the_same_size():
    found = {one.what: one.treatment.marks[0] for one in shapes(grey(), Treatment((CIRCLE,)))}
    assert set(found) == {"rectangle", "arrow", "point"}
    for mark in found.values():
        assert mark.centre == pytest.approx(CIRCLE.centre)
        assert (mark.colour, mark.width) == (CIRCLE.colour, CIRCLE.width)
    assert found["rectangle"].box(160 / 120) == pytest.approx(CIRCLE.box(160 / 120))
    assert "circle" in {one.what for one in shapes(grey(), Treatment((OTHERS["rectangle"],)))}
    assert as_shape(Mark("point", ((0.4, 0.4),), 0.1, fill=1.0), "circle", 1.0).fill == 0.0


@settings(max_examples=15, deadline=None)
@given(st.floats(0.05, 0.3), st.floats(0.005, 0.1), st.sampled_from([0.0, 0.5]), st.integers(0, 9))
def test_scattered_ink_is_as_much_ink(radius, width, fill, seed):
    picture = grey(97, 131)
    treatment = Treatment((Mark("circle", ((0.5, 0.5),), radius, "black", width, fill),))
    amount = ink(treatment, 97, 131).sum()
    found = scattered(picture, treatment, seed)
    assert len(found) == SCATTERED
    for one in found[:3]:
        darkened = (127 - one.rgb[..., 0].astype(float)).sum() / 127
        assert darkened == pytest.approx(amount, rel=0.03)


def test_scattered_ink_lies_in_other_places_every_time_and_not_in_a_ring():
    picture, treatment = noise(1), Treatment((CIRCLE,))
    one, two = scattered(picture, treatment, 0)[:2]
    assert (one.rgb != two.rgb).any()
    changed = (one.rgb != picture.rgb).any(axis=-1)
    inked = (draw(picture, treatment).rgb != picture.rgb).any(axis=-1)
    assert (changed & ~inked).sum() > 0.5 * changed.sum()


def test_nothing_is_scattered_where_the_outside_is_treated_too():
    assert scattered(grey(), Treatment((CIRCLE,), "blurred"), 0) == ()
