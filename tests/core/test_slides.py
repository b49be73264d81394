"""Slides: text is measured before it is drawn, rows and cells keep apart, what is planted is seen in its place."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from PIL import Image

from probes import registry
from probes.attention_heads.slide import Grid, values
from probes.core import lettering, slides
from probes.core.parameters import parse
from probes.core.probe import run
from probes.core.slide_rows import AXIS, Row, Scale, draw_rows, fits
from probes.core.slides import EDGE, SIZE, SMALL, Area, Slide
from probes.modality_gap.slide import placed
from tests.fakes import headed_backend, noise

LONG = "a rather long label, with clauses, that no column of a slide will ever hold as it stands " * 3
SCRIPTS = ("ein süßer Löwe", "кошка", "γάτα ≤ −1 → 2", "قطة", "חתול", "Łódź")
PROBES = registry.all_probes()


def pixels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        assert image.size == SIZE
        return np.asarray(image.convert("RGB")).astype(int)


def inked(drawn: np.ndarray) -> np.ndarray:
    return drawn.min(axis=-1) < 250


@pytest.fixture(scope="module")
def report():
    """A small answer about a picture."""
    probe = PROBES["zero_shot"]
    params = parse(probe.params, {"images": (noise(1),), "labels": ["a cat", "a dog", "a zyx"]})
    return run(probe, params, headed_backend())


@pytest.mark.parametrize("size", [28, 46])
def test_what_is_cut_is_as_long_as_fits_and_no_longer(size):
    for width in (90, 400, 1800):
        cut = lettering.fitted(LONG, width, size)
        assert cut.endswith("…")
        assert LONG.startswith(cut[:-1])
        assert lettering.length(cut, size) <= width
        assert lettering.length(LONG[: len(cut) + 1] + "…", size) > width
        middle = lettering.fitted_middle("hf-hub:" + "organisation/" * 40 + "the-end", width, size)
        assert lettering.length(middle, size) <= width
        if width > 90:
            assert middle.startswith("hf-hub")
            assert middle.endswith("end")
    assert lettering.fitted("short", 400, size) == "short"


@pytest.mark.parametrize("text", [LONG, "x" * 400, "one " + "猫" * 200, "", "a\nb\tc\u202ed"])
def test_lines_hold_all_words_and_none_is_wider_than_the_column(text):
    lines = lettering.wrapped(text, 500, 28)
    assert all(lettering.length(line, 28) <= 500 for line in lines)
    whole = "".join(lettering.plain(text).split())
    assert "".join("".join(lines).split()) == whole
    assert not set("".join(lines)) & set("\n\t\u202e")
    few = lettering.wrapped(text, 500, 28, 2)
    assert len(few) == min(len(lines), 2)
    assert (len(lines) > 2) == (bool(few) and few[-1].endswith("…"))


@pytest.mark.parametrize("text", SCRIPTS)
def test_the_shipped_font_has_these_letters(text):
    box = bytes(lettering.font(28).getmask("\uffff"))
    for letter in text.replace(" ", ""):
        assert bytes(lettering.font(28).getmask(letter)) != box, letter


def test_a_label_from_right_to_left_turns_no_sentence():
    drawn = Image.new("RGB", (900, 60), "white")
    pen = slides.ImageDraw.Draw(drawn)
    lettering.draw(pen, 0, 0, "“חתול” leads", 28, (0, 0, 0))
    alone = Image.new("RGB", (900, 60), "white")
    lettering.draw(slides.ImageDraw.Draw(alone), lettering.length("“חתול” ", 28), 0, "leads", 28, (0, 0, 0))
    right = inked(np.asarray(alone).astype(int)).any(axis=0).nonzero()[0]
    np.testing.assert_array_equal(
        inked(np.asarray(drawn).astype(int))[:, right[0] : right[-1] + 1].any(axis=0),
        inked(np.asarray(alone).astype(int))[:, right[0] : right[-1] + 1].any(axis=0),
    )


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-3.2, 0.0), (-0.0004, 0.0011), (0.0, 0.0), (-1e6, 2e6)])
def test_an_axis_holds_its_values_and_has_a_handful_of_round_ticks(ends):
    rows = [Row("a", ends[0], None, None, ""), Row("b", ends[1], ends[0], ends[1], "")]
    axis = Scale.over(rows, 100, 900)
    assert 100 <= axis.at(ends[0]) <= axis.at(ends[1]) <= 900
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 7
    assert 0.0 in ticks
    assert all(100 <= axis.at(tick) <= 900 for tick in ticks)
    assert axis.at((ticks[0] + ticks[1]) / 2) == pytest.approx((axis.at(ticks[0]) + axis.at(ticks[1])) / 2)
    assert axis.at(1e9) == 900


def test_as_many_rows_as_fit_stay_within_their_area(report):
    page = Slide(PROBES["zero_shot"].card, report)
    clean = np.asarray(page.page).astype(int)
    area = Area(500, 400, 1500, 880)
    count = fits(area)
    assert count * lettering.line_height(SMALL) + AXIS <= area.height
    draw_rows(page, area, [Row(f"{n} {LONG}", n - 5, n - 7, n - 4, f"p = {n}") for n in range(count)], LONG)
    changed = (np.asarray(page.page).astype(int) != clean).any(axis=-1)
    rows, columns = changed.nonzero()
    assert rows.min() >= area.top
    assert rows.max() < area.bottom
    assert columns.min() >= area.left - 2  # letters may lean out by a pixel or two
    assert columns.max() < area.right + 2


def test_a_larger_value_is_a_longer_bar(report):
    area = Area(100, 400, 1500, 800)
    widths = []
    for value in (0.2, 0.8):
        page = Slide(PROBES["zero_shot"].card, report)
        draw_rows(page, area, [Row("cat", value, None, None, "n", "bar")], "share", scale=(0.0, 1.0))
        widths.append((np.asarray(page.page)[440] == slides.FIRST).all(axis=-1).sum())
    assert widths[1] == pytest.approx(4 * widths[0], abs=4)


def test_cells_of_a_grid_cover_it_and_never_overlap():
    area = Area(10, 20, 1000, 517)
    for rows, columns in ((6, 7), (24, 17), (48, 26), (1, 1)):
        grid = Grid(area, rows, columns)
        seen = np.zeros((600, 1100), int)
        for row in range(rows):
            for column in range(columns):
                cell = grid.cell(row, column)
                seen[cell.top : cell.bottom, cell.left : cell.right] += 1
        assert (seen[20:517, 10:1000] == 1).all()
        assert seen.sum() == 497 * 990
    assert Grid(area, 6, 7).holds_numbers
    assert not Grid(area, 24, 17).holds_numbers


def test_points_keep_their_shape_and_stay_within():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, 2)) * (3.0, 1.0)
    at = placed(points, Area(100, 200, 900, 700))
    assert at[:, 0].min() >= 100
    assert at[:, 0].max() <= 900
    assert at[:, 1].min() >= 200
    assert at[:, 1].max() <= 700
    scale = (at[1] - at[0]) / (points[1] - points[0])
    assert scale[0] == pytest.approx(-scale[1])
    assert np.isfinite(placed(np.zeros((4, 2)), Area(0, 0, 100, 100))).all()


def test_a_headline_of_any_length_leaves_room_for_the_picture(report):
    for times in (1, 10, 100):
        long = replace(report, headline=report.headline * times)
        long = replace(long, provenance=replace(report.provenance, model="local-dir:" + "/folder" * 60))
        page = Slide(PROBES["zero_shot"].card, long)
        assert page.area.height > 450
        drawn = inked(np.asarray(page.page).astype(int))
        assert not drawn[page.area.top : page.area.bottom].any()
        assert not drawn[:, : EDGE - 4].any()
        assert not drawn[:, SIZE[0] - EDGE + 4 :].any()


TEXTS = {"zero_shot": "labels", "red_circle": "texts", "attention_heads": "texts", "bias_audit": "words"}
FEW = {"phrases": "something red\nsomething blue\na cat\nnoise"}


@lru_cache(maxsize=4)
def asked(name):
    """An answer of a probe about texts in many scripts and very long ones."""
    probe = PROBES[name]
    pictures = {} if name == "bias_audit" else {"images": (noise(1),)}
    few = FEW if name == "attention_heads" else {}
    texts = [f"0 {LONG}", "a dog", *SCRIPTS, *(f"{n} {LONG}" for n in range(1, 1 if few else 14))]
    return run(probe, parse(probe.params, {**pictures, **few, TEXTS[name]: texts}), headed_backend())


@pytest.mark.parametrize("name", TEXTS)
def test_every_probes_slide_stands_any_texts(name):
    shown = inked(pixels(PROBES[name].slide(asked(name))))
    assert not shown[:, : EDGE - 4].any()
    assert not shown[:, SIZE[0] - EDGE + 4 :].any()
    assert shown[400:850].any()


def test_the_cell_of_a_planted_head_changes_and_no_other():
    report = asked("attention_heads")
    effects = report.result.effects
    heads = np.full_like(effects.heads, 0.001)
    heads[0, 0, 0] = 0.5
    plain = replace(report.result, effects=replace(effects, heads=heads, mlps=np.zeros_like(effects.mlps)))
    moved = heads.copy()
    moved[0, 0, 1] = -0.5
    other = replace(plain, effects=replace(plain.effects, heads=moved))
    before, after = (
        pixels(PROBES["attention_heads"].slide(replace(report, result=one))) for one in (plain, other)
    )
    assert values(plain)[0, 1] == pytest.approx(0.0)
    changed = np.argwhere((before != after).any(axis=-1)[:, 520:])
    blue = np.argwhere((after == slides.FIRST).all(axis=-1))
    assert len(blue) > 500
    assert not (before == slides.FIRST).all(axis=-1).any()
    cell = (blue.min(axis=0), blue.max(axis=0))
    inside = (changed[:, 0] >= cell[0][0]) & (changed[:, 0] <= cell[1][0])
    assert inside.mean() > 0.5  # the rest is the sum that is written under the grid
