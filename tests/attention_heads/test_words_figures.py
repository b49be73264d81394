"""Figures of words show the numbers of the result, each in the colour of what it is called."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from probes.attention_heads import words_figures
from probes.attention_heads.text_heads import TextCheckRow, TextHeads
from probes.attention_heads.words import misfits
from probes.core.pictures import Raster
from probes.core.plotting import BLUE, GREY, SKY, VERMILION
from tests.attention_heads.test_words import CAPTION, OTHERS, PICTURE, by_hand


@pytest.fixture(scope="module")
def found():
    return misfits(by_hand([0.01, -0.3, 0.3, 0.0, 0.01]), PICTURE, CAPTION, OTHERS)


def test_bars_are_the_contributions_in_the_colour_of_what_they_are_called(found):
    figure = words_figures.words(found)
    bars = {trace.name: trace for trace in figure.data if isinstance(trace, go.Bar)}
    colours = {"fits": BLUE, "misfit": VERMILION, "neither": SKY, "function word": GREY}
    assert {name: bar.marker.color for name, bar in bars.items()} == colours
    drawn = {int(y): float(x) for bar in bars.values() for x, y in zip(bar.x, bar.y, strict=True)}
    assert [drawn[place] for place in range(5)] == [row.contribution for row in found.rows]
    assert list(bars["misfit"].y) == [1]
    whiskers = figure.data[-1]
    assert list(whiskers.x) == [row.others_mean for row in found.rows]
    assert list(whiskers.error_x.array) == [row.others_sd for row in found.rows]
    assert figure.layout.yaxis.ticktext[1] == f"red  ({found.rows[1].score:+.1f} SD)"


def test_the_menu_shows_one_map_at_a_time_the_misfit_first(found):
    figure = words_figures.word_maps(found, Raster.encode(np.zeros((12, 18, 3), np.uint8)))
    assert [trace.visible for trace in figure.data] == [False, True, False, False, False]
    for trace, cells in zip(figure.data, found.maps, strict=True):
        np.testing.assert_array_equal(trace.z, cells)
        assert trace.zmax == -trace.zmin == np.abs(found.maps).max()
    (menu,) = figure.layout.updatemenus
    assert menu.active == 1
    assert [button.label for button in menu.buttons] == CAPTION.split()
    for place, button in enumerate(menu.buttons):
        assert list(button.args[0]["visible"]) == [other == place for other in range(5)]
        assert button.args[1]["title.text"].startswith(f"Where “{CAPTION.split()[place]}” adds")
    np.testing.assert_allclose(figure.data[0].x, [1 / 6, 1 / 2, 5 / 6])
    assert figure.layout.yaxis.scaleratio == 12 / 18


def test_without_a_misfit_the_word_that_adds_most_is_first():
    found = misfits(by_hand([0.9, 0.0, 0.3, 0.0, 0.1]), PICTURE, CAPTION, OTHERS)
    figure = words_figures.word_maps(found, Raster.encode(np.zeros((12, 12, 3), np.uint8)))
    assert [trace.visible for trace in figure.data].index(True) == 2


@pytest.mark.parametrize("by_token", [True, False])
def test_the_grid_of_text_heads(by_token):
    rng = np.random.default_rng(0)
    heads, mlps = rng.normal(size=(3, 4)), rng.normal(size=3)
    tokens = (("<start>", "a", "dog", "<end>"),) if by_token else ()
    effects = (rng.normal(size=(3, 4, 4)).astype(np.float32),) if by_token else ()
    check = TextCheckRow(0.2, 0.1, 0.1, 0.0, 0.2, 0.0)
    given = TextHeads(("a dog",), heads, mlps, 0.0, check, tokens, effects, ("layer 1", "layer 2", "layer 3"))
    figure = words_figures.text_heads(given)
    np.testing.assert_array_equal(figure.data[0].z, np.column_stack([heads, mlps]))
    assert figure.data[0].zmax == -figure.data[0].zmin == max(np.abs(heads).max(), np.abs(mlps).max())
    assert list(figure.data[0].x) == ["head 0", "head 1", "head 2", "head 3", "MLP"]
    assert list(figure.data[0].y) == list(given.layers)
    assert len(figure.data) == 1 + by_token
    if by_token:
        np.testing.assert_allclose(figure.data[1].y, effects[0].sum((0, 1)), atol=1e-6)
        assert list(figure.layout.xaxis2.ticktext) == ["&lt;start&gt;", "a", "dog", "&lt;end&gt;"]
    assert "“a dog” +0.200" in figure.layout.title.text
