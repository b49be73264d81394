"""The geometry of drawn circles, against areas and counts worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.pictures import Picture
from probes.red_circle.marks import Circle, coverage, draw, placebo_places
from tests.fakes import grey


@given(
    radius=st.floats(0.1, 0.4),
    width=st.floats(0.02, 0.1),
    x=st.floats(0.48, 0.52),
    y=st.floats(0.48, 0.52),
)
def test_painted_area_is_that_of_a_ring(radius, width, x, y):
    painted = coverage(200, 200, Circle(x, y, radius, width)).sum()
    assert painted == pytest.approx(2 * np.pi * radius * width * 200**2, rel=0.02)


def test_a_line_thinner_than_a_pixel_fades_and_does_not_break():
    share = coverage(100, 100, Circle(0.5, 0.5, 0.3, 0.002))
    assert share.max() == pytest.approx(0.2)
    angles = np.linspace(0, 2 * np.pi, 100)
    rows = (50 + 30 * np.sin(angles)).astype(int)
    columns = (50 + 30 * np.cos(angles)).astype(int)
    around = [
        share[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2].max() for r, c in zip(rows, columns, strict=True)
    ]
    assert min(around) > 0.1


def test_circle_is_round_on_a_picture_that_is_not_square():
    share = coverage(100, 300, Circle(0.5, 0.5, 0.2, 0.04))
    rows, columns = np.nonzero(share > 0.5)
    assert columns.max() - columns.min() == rows.max() - rows.min() == 43
    assert (columns.mean(), rows.mean()) == (149.5, 49.5)


def test_drawing_replaces_the_colour_and_touches_nothing_else():
    picture = grey(100, 100)
    circle = Circle(0.5, 0.5, 0.3, 0.1, "red")
    marked = draw(picture, circle)
    share = coverage(100, 100, circle)
    assert (marked.rgb[share == 1] == (255, 0, 0)).all()
    assert (marked.rgb[share == 0] == 127).all()
    assert (picture.rgb == 127).all()


def test_the_same_relative_mark_looks_the_same_on_twice_the_picture():
    small, large = (
        draw(Picture("p", np.full((n, n, 3), 127, np.uint8)), Circle(0.4, 0.6, 0.25, 0.08)) for n in (96, 192)
    )
    halved = large.rgb.reshape(96, 2, 96, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - small.rgb).max() < 40
    assert np.abs(halved - small.rgb).mean() < 0.5


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.02, 0.2), st.integers(0, 99))
def test_placebos_are_whole_the_same_and_elsewhere(x, y, radius, seed):
    picture = grey(120, 160)
    circle = Circle(x, y, radius, 0.02)
    places = placebo_places(picture, circle, 30, np.random.default_rng(seed))
    assert len(places) == 30
    for place in places:
        assert (place.radius, place.width, place.colour) == (circle.radius, circle.width, circle.colour)
        assert np.hypot((place.x - x) * 160, (place.y - y) * 120) >= radius * 120 - 1e-9
        reach = (radius + 0.01) * 120
        assert reach <= place.x * 160 <= 160 - reach
        assert reach <= place.y * 120 <= 120 - reach


def test_no_room_gives_no_placebos():
    assert placebo_places(grey(), Circle(0.5, 0.5, 0.5, 0.02), 10, np.random.default_rng(0)) == ()
