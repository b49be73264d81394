"""Figures of a zero-shot result: probabilities with their interval, cosines, and what the tower sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from probes.core.plotting import BLUE, GREY, ORANGE, SEQUENTIAL, shortened, styled
from probes.zero_shot.science import Answer, ZeroShotResult

BARS = 20
"""Labels drawn; the table has all."""


def figures(result: ZeroShotResult) -> Mapping[str, go.Figure]:
    """Name -> figure, the main one first."""
    if len(result.seen) == 1:
        drawn = {"probabilities": probabilities(result, 0), "cosines": cosines(result, 0)}
    else:
        drawn = {"probabilities": heatmap(result)}
    return {**drawn, "tower": tower(result)}


def probabilities(result: ZeroShotResult, picture: int) -> go.Figure:
    """Probability of each label for one picture: bar, interval over templates, and each template as a dot."""
    rows = result.of(picture)[:BARS]
    figure = go.Figure(
        go.Bar(
            x=[row.probability for row in rows],
            y=[row.label for row in rows],
            orientation="h",
            marker_color=BLUE,
            error_x=_whiskers(rows),
            name="all templates together",
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
    )
    places = [result.labels.index(row.label) for row in rows]
    if len(result.templates) > 1:
        figure.add_trace(
            go.Scatter(
                x=[result.shares[picture, t, place] for place in places for t in range(len(result.templates))],
                y=[row.label for row in rows for _ in result.templates],
                text=[template for _ in rows for template in result.templates],
                mode="markers",
                marker={"color": ORANGE, "size": 7, "line": {"width": 1, "color": "white"}},
                name="each template",
                hovertemplate="“%{text}”: %{x:.1%}<extra></extra>",
            )
        )
    title = "Probability of each label" + (", judged one by one" if result.sigmoid else "")
    styled(figure, title, height=150 + 34 * len(rows))
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%")
    return _labelled(figure, rows)


def cosines(result: ZeroShotResult, picture: int) -> go.Figure:
    """Raw cosine of each label for one picture: all templates together, and their range."""
    rows = result.of(picture)[:BARS]
    figure = go.Figure(
        go.Scatter(
            x=[row.cosine for row in rows],
            y=[row.label for row in rows],
            mode="markers",
            marker={"color": BLUE, "size": 11, "symbol": "diamond"},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [max(row.cosine_most - row.cosine, 0.0) for row in rows],
                "arrayminus": [max(row.cosine - row.cosine_least, 0.0) for row in rows],
                "color": GREY,
            },
            hovertemplate="%{y}: %{x:.4f}<extra></extra>",
            showlegend=False,
        )
    )
    scale = f"the model multiplies by {result.logit_scale:.1f}"
    if result.logit_bias:
        scale += f" and adds {result.logit_bias:.1f}"
    styled(figure, "Cosine, and its range over templates", height=150 + 34 * len(rows))
    figure.update_xaxes(title_text=f"cosine ({scale})")
    return _labelled(figure, rows)


def heatmap(result: ZeroShotResult) -> go.Figure:
    """Probability of every label for several pictures."""
    count = len(result.labels)
    rows = [result.answers[i * count : (i + 1) * count] for i in range(len(result.seen))]
    figure = go.Figure(
        go.Heatmap(
            z=[[answer.probability for answer in row] for row in rows],
            x=[shortened(label) for label in result.labels],
            y=[f"{i + 1}. {shortened(seen.name)}" for i, seen in enumerate(result.seen)],
            zmin=0,
            zmax=1,
            colorscale=SEQUENTIAL,
            colorbar={"tickformat": ".0%", "thickness": 12},
            texttemplate="%{z:.0%}" if count <= 12 else None,
            hovertemplate="%{y}<br>%{x}: %{z:.1%}<extra></extra>",
        )
    )
    styled(figure, "Probability of each label for each picture", height=170 + 30 * len(rows))
    figure.update_yaxes(autorange="reversed")
    return figure


def tower(result: ZeroShotResult) -> go.Figure:
    """What the image tower sees of each picture, side by side."""
    figure = go.Figure()
    across = min(len(result.seen), 8)
    for i, seen in enumerate(result.seen):
        figure.add_layout_image(
            source=seen.tower.uri, x=i % across, y=-(i // across), sizex=0.96, sizey=0.96, xref="x", yref="y",
            xanchor="left", yanchor="top", sizing="contain",
        )  # fmt: skip
    down = (len(result.seen) + across - 1) // across
    styled(figure, "What the tower sees", height=80 + 200 * down)
    figure.update_xaxes(visible=False, range=[0, max(across, 3)])
    figure.update_yaxes(visible=False, range=[-down, 0], scaleanchor="x")
    return figure


def _whiskers(rows: Sequence[Answer]) -> dict[str, object] | None:
    if rows[0].probability_low is None:
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": [max((row.probability_high or 0.0) - row.probability, 0.0) for row in rows],
        "arrayminus": [max(row.probability - (row.probability_low or 0.0), 0.0) for row in rows],
        "color": GREY,
        "thickness": 2,
    }


def _labelled(figure: go.Figure, rows: Sequence[Answer]) -> go.Figure:
    """Put the most probable label on top and shorten long ones on the axis."""
    names = [row.label for row in rows]
    figure.update_yaxes(
        autorange="reversed",
        categoryorder="array",
        categoryarray=names,
        tickvals=names,
        ticktext=[shortened(name) for name in names],
    )
    return figure
