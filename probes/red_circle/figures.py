"""Figures of a red-circle result: effects against placebos, probabilities, and what the tower sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from probes.core.plotting import BLUE, GREY, ORANGE, VERMILION, shortened, styled
from probes.core.statistics import SIGNIFICANT
from probes.red_circle.science import Effect, RedCircleResult

ROWS = 20
"""Labels drawn, those that moved most beyond their placebos; the table has all."""


def figures(result: RedCircleResult) -> Mapping[str, go.Figure]:
    """Name -> figure, the main one first."""
    return {"effects": effects(result), "probabilities": probabilities(result), "tower": tower(result)}


def _drawn(result: RedCircleResult) -> list[tuple[int, Effect]]:
    order = sorted(enumerate(result.effects), key=lambda pair: -abs(pair[1].beyond.value))
    return order[:ROWS]


def effects(result: RedCircleResult) -> go.Figure:
    """Change of each label's logit by the circle, and by the same circle elsewhere."""
    drawn = _drawn(result)
    # Rows at whole numbers leave room to spread the placebos a little, so that they do not hide one another.
    spread = np.linspace(-0.28, 0.28, len(result.places))
    figure = go.Figure()
    for name, colour, symbol, wanted in (
        ("this circle, beyond its placebos", VERMILION, "diamond", True),
        ("this circle, within its placebos", BLUE, "diamond-open", False),
    ):
        rows = [(y, e) for y, (_, e) in enumerate(drawn) if (e.p_adjusted <= SIGNIFICANT) is wanted]
        if rows:
            figure.add_trace(_diamonds(name, colour, symbol, rows))
    figure.add_trace(
        go.Scatter(
            x=np.concatenate([result.placebo_changes[:, i] for i, _ in drawn]),
            y=np.concatenate([y + spread for y in range(len(drawn))]),
            mode="markers",
            marker={"color": GREY, "size": 5, "opacity": 0.55},
            name="the same circle elsewhere",
            hovertemplate="elsewhere: %{x:+.2f}<extra></extra>",
        )
    )
    figure.data = figure.data[::-1]  # placebos below
    styled(figure, "How far the circle moved each logit", height=170 + 46 * len(drawn))
    figure.update_xaxes(title_text="change against the unmarked picture", zeroline=True, zerolinewidth=2)
    return _labelled(figure, [effect for _, effect in drawn])


def _diamonds(name: str, colour: str, symbol: str, rows: Sequence[tuple[int, Effect]]) -> go.Scatter:
    return go.Scatter(
        x=[effect.change.value for _, effect in rows],
        y=[y for y, _ in rows],
        text=[
            f"{e.label}<br>beyond placebos {e.beyond.describe()}<br>corrected p = {e.p_adjusted:.2g}"
            for _, e in rows
        ],
        mode="markers",
        marker={"color": colour, "size": 14, "symbol": symbol, "line": {"width": 2, "color": colour}},
        name=name,
        hovertemplate="%{text}<br>change %{x:+.2f}<extra></extra>",
    )


def probabilities(result: RedCircleResult) -> go.Figure:
    """Probability of each label without and with the circle."""
    rows = [effect for _, effect in _drawn(result)]
    figure = go.Figure()
    for name, colour, values in (
        ("unmarked", GREY, [effect.probability_unmarked for effect in rows]),
        ("marked", ORANGE, [effect.probability_marked for effect in rows]),
    ):
        figure.add_trace(
            go.Bar(
                x=values,
                y=list(range(len(rows))),
                text=[f"{value:.0%}" for value in values],
                customdata=[effect.label for effect in rows],
                orientation="h",
                marker_color=colour,
                name=name,
                hovertemplate="%{customdata}: %{x:.1%}<extra>" + name + "</extra>",
            )
        )
    styled(figure, "Probability without and with the circle", height=170 + 52 * len(rows))
    figure.update_xaxes(range=[0, 1.08], tickformat=".0%")
    return _labelled(figure, rows)


def tower(result: RedCircleResult) -> go.Figure:
    """What the image tower sees, without and with the circle."""
    figure = go.Figure()
    for place, raster in enumerate((result.unmarked, result.marked)):
        figure.add_layout_image(
            source=raster.uri, x=place, y=0, sizex=0.95, sizey=0.95, xref="x", yref="y",
            xanchor="left", yanchor="top", sizing="contain",
        )  # fmt: skip
    seen = f"{result.pixels_marked:.1%} is circle" if result.pixels_marked else "no circle is left"
    styled(figure, f"What the tower sees: {seen}", height=320)
    figure.update_xaxes(visible=False, range=[0, 2])
    figure.update_yaxes(visible=False, range=[-1, 0], scaleanchor="x")
    return figure


def _labelled(figure: go.Figure, rows: Sequence[Effect]) -> go.Figure:
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[shortened(effect.label) for effect in rows],
        range=[len(rows) - 0.5, -0.5],
        zeroline=False,
    )
    return figure
