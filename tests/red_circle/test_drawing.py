"""The geometry of drawn marks, against areas and counts worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from probes.core.marks import Mark
from probes.core.pictures import Picture
from probes.red_circle.drawing import OUTSIDE, Treatment, draw, focus, ink, region, working_copy
from probes.red_circle.geometry import covered, inside, line
from tests.fakes import grey, noise

MARKS = {
    "circle": Mark("circle", ((0.4, 0.6),), 0.25, width=0.08),
    "ellipse": Mark("ellipse", ((0.2, 0.3), (0.8, 0.7)), width=0.08),
    "rectangle": Mark("rectangle", ((0.2, 0.3), (0.8, 0.7)), width=0.08),
    "arrow": Mark("arrow", ((0.2, 0.8), (0.7, 0.3)), width=0.06),
    "point": Mark("point", ((0.4, 0.6),), 0.2),
}


def painted(mark: Mark, height: int = 200, width: int = 200) -> np.ndarray:
    return covered(mark, height, width).whole(height, width)


@given(
    radius=st.floats(0.1, 0.4),
    width=st.floats(0.02, 0.1),
    x=st.floats(0.48, 0.52),
    y=st.floats(0.48, 0.52),
)
def test_painted_area_is_that_of_a_ring(radius, width, x, y):
    area = painted(Mark("circle", ((x, y),), radius, width=width)).sum()
    assert area == pytest.approx(2 * np.pi * radius * width * 200**2, rel=0.02)


@given(st.floats(0.05, 0.45), st.floats(0.05, 0.45), st.floats(0.02, 0.08))
def test_painted_area_is_that_of_a_frame_exactly(across, down, width):
    mark = Mark("rectangle", ((0.5 - across, 0.5 - down), (0.5 + across, 0.5 + down)), width=width)
    if min(across, down) < width:
        return
    outer = (2 * across + width) * (2 * down + width)
    inner = (2 * across - width) * (2 * down - width)
    assert painted(mark, 100, 100).sum() == pytest.approx((outer - inner) * 100**2, rel=1e-9)


def test_a_rectangle_on_whole_pixels_covers_whole_pixels():
    mark = Mark("rectangle", ((0.2, 0.3), (0.8, 0.7)), width=0.04)  # 4 pixels round 20..80 x 30..70 of 100
    share = painted(mark, 100, 100).round(9)
    assert set(np.unique(share)) == {0.0, 1.0}
    assert share.sum() == 64 * 44 - 56 * 36
    assert share[28:72, 18:22].all()
    assert not share[32:68, 22:78].any()


@given(st.floats(0.06, 0.4), st.floats(0.06, 0.4))
def test_what_an_ellipse_encloses_has_its_area(across, down):
    mark = Mark("ellipse", ((0.5 - across, 0.5 - down), (0.5 + across, 0.5 + down)))
    area = inside(mark, 300, 300).values.sum()
    assert area == pytest.approx(np.pi * across * down * 300**2, rel=0.02)


def test_pixels_of_a_disc_are_those_counted_one_by_one():
    share = painted(MARKS["point"], 100, 150)
    rows, columns = np.mgrid[:100, :150]
    counted = (np.hypot(rows + 0.5 - 60, columns + 0.5 - 60) <= 20).sum()
    assert (share >= 0.5).sum() == counted
    assert share.sum() == pytest.approx(np.pi * 20**2, rel=0.005)


def test_an_arrow_points_with_its_tip_and_reaches_its_tail():
    share = painted(MARKS["arrow"])
    rows, columns = np.nonzero(share > 0.5)
    assert (columns.max() + 0.5) / 200 == pytest.approx(0.7, abs=0.02)
    assert (rows.max() + 0.5) / 200 == pytest.approx(0.8, abs=0.03)
    across, down = columns + 0.5 - 140, rows + 0.5 - 60  # from the tip; the shaft runs to the lower left
    along, aside = (down - across) / np.sqrt(2), np.abs(down + across) / np.sqrt(2)
    assert aside[(along > 35) & (along < 45)].max() == pytest.approx(21, abs=3)  # the head: half as wide as long
    assert aside[(along > 90) & (along < 120)].max() == pytest.approx(6, abs=1)  # the shaft


def test_a_line_thinner_than_a_pixel_fades_and_does_not_break():
    share = painted(Mark("circle", ((0.5, 0.5),), 0.3, width=0.002), 100, 100)
    assert share.max() == pytest.approx(0.2)
    angles = np.linspace(0, 2 * np.pi, 100)
    rows = (50 + 30 * np.sin(angles)).astype(int)
    columns = (50 + 30 * np.cos(angles)).astype(int)
    around = [
        share[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2].max() for r, c in zip(rows, columns, strict=True)
    ]
    assert min(around) > 0.1


def test_circle_is_round_on_a_picture_that_is_not_square():
    share = painted(Mark("circle", ((0.5, 0.5),), 0.2, width=0.04), 100, 300)
    rows, columns = np.nonzero(share > 0.5)
    assert columns.max() - columns.min() == rows.max() - rows.min() == 43
    assert (columns.mean(), rows.mean()) == (149.5, 49.5)


def test_an_ellipse_with_equal_axes_is_a_circle():
    circle = painted(Mark("circle", ((0.5, 0.5),), 0.3, width=0.05))
    ellipse = painted(Mark("ellipse", ((0.2, 0.2), (0.8, 0.8)), width=0.05))
    assert np.abs(circle - ellipse).max() < 1e-9


@pytest.mark.parametrize("shape", MARKS)
def test_drawing_replaces_the_colour_and_touches_nothing_else(shape):
    picture, mark = grey(100, 100), MARKS[shape]
    marked = draw(picture, Treatment((mark,)))
    share = painted(mark, 100, 100)
    assert (marked.rgb[share == 1] == (255, 0, 0)).all()
    assert (marked.rgb[share == 0] == 127).all()
    assert (picture.rgb == 127).all()


@pytest.mark.parametrize("shape", MARKS)
@pytest.mark.parametrize("outside", OUTSIDE)
def test_the_same_relative_mark_looks_the_same_to_a_tower_on_twice_the_picture(shape, outside):
    smooth = noise(3, 12, 12).image()  # no detail finer than a pixel of the tower
    seen = []
    for side in (144, 288):
        picture = Picture("p", np.asarray(smooth.resize((side, side), Image.Resampling.BICUBIC)))
        marked = draw(picture, Treatment((MARKS[shape],), outside))
        seen.append(np.asarray(marked.image().resize((36, 36), Image.Resampling.BOX)).astype(int))
    difference = np.abs(seen[0] - seen[1])
    # a crop is of whole pixels, and so up to half of one away
    mean, most = (8, 60) if outside == "cropped" else (3, 30)
    assert difference.mean() < mean
    assert np.quantile(difference, 0.99) < most


def test_fill_is_ink_inside_the_line():
    mark = replace(MARKS["rectangle"], fill=0.5)
    share = painted(mark, 100, 100)
    assert share[50, 50] == 0.5
    assert share[30, 50] == 1.0
    assert share[10, 10] == 0.0


def test_what_lies_outside_is_changed_and_what_is_marked_is_not():
    picture = noise(1, 100, 100)
    mark = replace(MARKS["rectangle"], width=0.01)
    inner = (slice(35, 65), slice(25, 75))
    for outside in ("blurred", "greyed", "darkened"):
        treated = draw(picture, Treatment((mark,), outside)).rgb
        assert (treated[inner] == picture.rgb[inner]).all()
        assert (treated[5:20] != picture.rgb[5:20]).any()
    greyed = draw(picture, Treatment((mark,), "greyed")).rgb
    assert (np.ptp(greyed[5:20], axis=-1) == 0).all()
    darkened = draw(picture, Treatment((mark,), "darkened")).rgb
    assert np.abs(darkened[5:20] - 0.25 * picture.rgb[5:20]).max() <= 0.5
    blurred = draw(picture, Treatment((mark,), "blurred")).rgb
    assert blurred[5:20].std() < 0.2 * picture.rgb[5:20].std()


def test_a_crop_holds_what_is_marked_with_its_margin_and_is_square_where_it_can_be():
    picture = noise(1, 200, 300)
    mark = Mark("rectangle", ((0.4, 0.4), (0.6, 0.6)))  # 60 x 40 pixels round 150, 100
    cropped = draw(picture, Treatment((mark,), "cropped", inked=False)).rgb
    assert cropped.shape[:2] == (84, 84)  # 60 with a fifth of it on either side
    assert (cropped == picture.rgb[58:142, 108:192]).all()
    tight = draw(picture, Treatment((mark,), "cropped", inked=False, margin=0.0)).rgb
    assert tight.shape[:2] == (60, 60)
    edge = draw(picture, Treatment((mark.moved_to(0.0, 0.0),), "cropped", inked=False)).rgb
    assert edge.shape[:2] == (84, 84)


def test_several_marks_are_drawn_in_order_and_mean_all_that_they_enclose():
    one, two = MARKS["circle"], replace(MARKS["point"], colour="blue")
    both = Treatment((one, two))
    marked = draw(grey(100, 100), both).rgb
    assert (marked[60, 40] == (0, 0, 255)).all()
    assert (ink(both, 100, 100) == np.maximum(painted(one, 100, 100), painted(two, 100, 100))).all()
    assert region((one, two), 100, 100)[60, 40] == 1.0
    assert line(two, 100, 100).values.max() == 1.0


def test_focus_is_highest_where_the_mark_is_and_reaches_its_size():
    seen = focus((MARKS["circle"],), 100, 200).rgb[..., 0]
    row, column = np.unravel_index(seen.argmax(), seen.shape)
    assert (row, column) == pytest.approx((60, 80), abs=1)
    assert seen[60, 80 + 25] / 255 == pytest.approx(np.exp(-0.5), abs=0.03)  # one deviation at the radius


def test_a_large_picture_is_brought_down_to_four_times_what_the_tower_sees():
    small = noise(1, 96, 128)
    assert working_copy(small, (24, 24)) is small
    large = noise(2, 480, 640)
    copy = working_copy(large, (24, 24))
    assert (copy.height, copy.width) == (96, 128)
