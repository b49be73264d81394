from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from probes.core.greyscale import APART, lightness, told_apart
from probes.core.plotting import BLUE, GREEN, GREY, ORANGE, PALETTE, SKY, signs, styled


def test_lightness_is_that_of_cielab() -> None:
    skimage_like = {"#ffffff": 100.0, "#000000": 0.0, "#808080": 53.585, "#ff0000": 53.241, "#0000ff": 32.297}
    for colour, expected in skimage_like.items():
        assert lightness(colour) == pytest.approx(expected, abs=0.01)
    assert lightness("rgb(255, 0, 0)") == pytest.approx(lightness("#ff0000"))
    assert lightness("rgba(255,0,0,0.5)") == pytest.approx(lightness("#ff0000"))
    assert lightness("tomato") is None


@pytest.mark.parametrize(
    ("make", "form"),
    [
        (lambda c: go.Bar(y=[1], marker={"color": c}), lambda t: t.marker.pattern.shape or ""),
        (
            lambda c: go.Scatter(y=[1], mode="markers", marker={"color": c}),
            lambda t: t.marker.symbol or "circle",
        ),
        (lambda c: go.Scatter(y=[1], mode="lines", line={"color": c}), lambda t: t.line.dash or "solid"),
    ],
    ids=["bars", "markers", "lines"],
)
def test_series_of_equal_lightness_differ_in_form_and_others_stay_plain(make, form) -> None:
    figure = styled(go.Figure([make(colour) for colour in PALETTE[:5]]), "")
    forms = [form(trace) for trace in figure.data]
    for place, one in enumerate(figure.data):
        for other in range(place):
            light = [lightness(PALETTE[place]), lightness(PALETTE[other])]
            assert abs(light[0] - light[1]) >= APART or forms[place] != forms[other], one
    apart = styled(go.Figure([make(BLUE), make(ORANGE)]), "")
    assert form(apart.data[0]) == form(apart.data[1])


def test_what_a_figure_has_chosen_stays_and_panels_do_not_mix() -> None:
    own = [
        go.Scatter(y=[1], mode="markers", marker={"color": GREY, "symbol": "circle-open"}),
        go.Scatter(y=[1], mode="markers", marker={"color": BLUE, "symbol": "circle"}),
        go.Scatter(y=[1], mode="markers", marker={"color": GREEN}, xaxis="x2"),
    ]
    before = go.Figure(own).to_dict()["data"]
    assert told_apart(go.Figure(own)).to_dict()["data"] == before
    twice = told_apart(told_apart(go.Figure([go.Bar(y=[1], marker={"color": c}) for c in (SKY, ORANGE)])))
    assert twice.data[1].marker.pattern.shape == "/"


def test_a_minus_stands_where_a_cell_is_clearly_negative() -> None:
    assert signs(np.array([[1.0, -0.9], [-0.01, np.nan]])) == [["", "−"], ["", ""]]
    assert signs(np.zeros((1, 2))) == [["", ""]]
