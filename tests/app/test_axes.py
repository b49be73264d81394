"""Two models' figures on the same axes."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from probes import registry
from probes.core import axes
from probes.core.probe import run
from tests.app.fakes import load

PROBES = list(registry.all_probes().values())


def aligned(*figures: go.Figure) -> list[go.Figure]:
    return [drawn["one"] for drawn in axes.shared([{"one": figure} for figure in figures])]


def scatter(x: list[float], y: list[float], **axis: object) -> go.Figure:
    return go.Figure(go.Scatter(x=x, y=y, mode="markers")).update_xaxes(**axis)


def test_axes_go_over_what_both_show() -> None:
    left, right = aligned(scatter([0.0, 1.0], [5.0, 6.0]), scatter([-3.0, 0.5], [5.5, 9.0]))
    assert left.layout.xaxis.range == right.layout.xaxis.range == pytest.approx((-3.175, 1.05))
    low, high = left.layout.yaxis.range
    assert low < 5.0
    assert high > 9.0
    assert right.layout.yaxis.range == (low, high)


def test_ranges_that_a_figure_chose_are_united_and_reversed_axes_stay_so() -> None:
    left, right = aligned(scatter([1.0], [1.0], range=[0.0, 1.02]), scatter([1.0], [1.0], range=[0.2, 4.0]))
    assert left.layout.xaxis.range == right.layout.xaxis.range == (0.0, 4.0)
    left, right = aligned(
        scatter([1.0, 2.0], [1.0, 1.0], range=[9.5, -0.5]), scatter([1.0, 2.0], [1.0, 1.0], autorange="reversed")
    )
    assert left.layout.xaxis.range == right.layout.xaxis.range == (9.5, -0.5)


def test_a_figure_with_fewer_panels_leaves_the_others_as_they_are() -> None:
    many = make_subplots(rows=1, cols=11)
    for column in range(11):
        many.add_trace(go.Scatter(x=[0.0, 1.0], y=[0.0, column]), row=1, col=column + 1)
    left, right = aligned(many, scatter([-3.0, 0.5], [5.5, 9.0]))
    assert left.layout.xaxis.range == right.layout.xaxis.range == pytest.approx((-3.175, 1.05))
    assert left.layout.xaxis11.range is None


def test_error_bars_and_the_foot_of_bars_are_within() -> None:
    whiskers = {"type": "data", "array": [0.4], "arrayminus": [0.1]}
    left, right = aligned(
        go.Figure(go.Bar(x=[2.0], y=["a"], orientation="h", error_x=whiskers)),
        go.Figure(go.Bar(x=[1.0], y=["a"], orientation="h")),
    )
    low, high = right.layout.xaxis.range
    assert low <= 0.0 <= 2.4 <= high
    assert left.layout.xaxis.range == (low, high)


def test_a_logarithmic_axis_is_ranged_in_powers_of_ten() -> None:
    left, right = aligned(
        scatter([1.0, 10.0], [0.0, 1.0], type="log"), scatter([100.0, 1000.0], [0.0, 1.0], type="log")
    )
    assert left.layout.xaxis.range == right.layout.xaxis.range == pytest.approx((-0.05, 3.05))


def test_rows_stand_in_the_order_of_the_first() -> None:
    def rows(names: list[str], values: list[float]) -> go.Figure:
        figure = go.Figure(go.Scatter(x=values, y=[0.0, 1.1, 2.0], mode="markers"))
        return figure.update_yaxes(tickvals=[0, 1, 2], ticktext=names, range=[2.5, -0.5])

    left, right = aligned(rows(["cat", "dog", "cow"], [1, 2, 3]), rows(["cow", "cat", "dog"], [30, 10, 20]))
    assert right.layout.yaxis.ticktext == left.layout.yaxis.ticktext == ("cat", "dog", "cow")
    assert list(right.data[0].y) == pytest.approx([2.0, 0.1, 1.0])
    assert list(right.data[0].x) == [30, 10, 20]
    left, right = aligned(rows(["cat", "dog", "cow"], [1, 2, 3]), rows(["cow", "cat", "hen"], [30, 10, 20]))
    assert right.layout.yaxis.ticktext == ("cow", "cat", "hen")


def test_names_stand_in_the_order_of_the_first() -> None:
    def bars(names: list[str]) -> go.Figure:
        figure = go.Figure(go.Bar(x=[3, 2, 1], y=names, orientation="h"))
        return figure.update_yaxes(categoryorder="array", categoryarray=names, autorange="reversed")

    left, right = aligned(bars(["cat", "dog", "cow"]), bars(["cow", "cat", "dog"]))
    assert right.layout.yaxis.categoryarray == left.layout.yaxis.categoryarray == ("cat", "dog", "cow")
    assert right.data[0].y == ("cow", "cat", "dog")
    _, right = aligned(bars(["cat", "dog", "cow"]), bars(["cow", "cat", "hen"]))
    assert right.layout.yaxis.categoryarray == ("cow", "cat", "hen")


def test_colours_mean_the_same() -> None:
    left, right = aligned(go.Figure(go.Heatmap(z=[[0, 2]])), go.Figure(go.Heatmap(z=[[-1, 1]])))
    assert (left.data[0].zmin, left.data[0].zmax) == (right.data[0].zmin, right.data[0].zmax) == (-1, 2)
    left, right = aligned(go.Figure(go.Heatmap(z=[[0, 2]], zmid=0)), go.Figure(go.Heatmap(z=[[-1, 1]], zmid=0)))
    assert (left.data[0].zmin, right.data[0].zmax) == (-2, 2)


def test_what_cannot_be_told_is_left_alone() -> None:
    histogram = go.Figure(go.Histogram(x=[1, 2, 2]))
    left, _ = aligned(histogram, go.Figure(go.Histogram(x=[5])))
    assert left.layout.xaxis.range is None
    hidden = scatter([1.0], [1.0], visible=False, range=[0, 1])
    left, _ = aligned(hidden, scatter([1.0], [1.0], visible=False, range=[0, 9]))
    assert left.layout.xaxis.range == (0, 1)
    one = scatter([1.0], [1.0])
    assert axes.shared([{"a": one}, {"b": one}]) == [{"a": one}, {"b": one}]
    assert one.layout.xaxis.range is None


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.card.name)
def test_every_probe_has_the_same_axes_on_two_models(probe) -> None:
    results = [run(probe, probe.example(), load(f"bundled:{name}")).result for name in ("skewed", "balanced")]
    own = [probe.figures(result) for result in results]
    left, right = axes.shared(own)
    assert list(left) == list(right) == list(own[0])
    main = next(iter(left))
    assert left[main].layout.xaxis.range == right[main].layout.xaxis.range
    assert left[main].layout.xaxis.range is not None
    assert left[main].layout.yaxis.ticktext == right[main].layout.yaxis.ticktext
