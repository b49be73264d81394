"""Figures of the search for heads that carry a property."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from probes.attention_heads.finding import HeadShare
from probes.core.plotting import BLUE, DIVERGING, GREY, signs, styled, whiskers

SHOWN = 15
"""Heads drawn as bars; the table has all."""


def found(rows: Sequence[HeadShare], title: str) -> go.Figure:
    """The heads that carry most, as bars with 95 % intervals; grey where chance deals as much."""
    heads = _heads(rows)[:SHOWN]
    figure = go.Figure()
    for clear, name, colour in ((True, "beyond labels dealt by chance", BLUE), (False, "not beyond", GREY)):
        some = [row for row in heads if (row.clear or row.p is None) is clear]
        if not some:
            continue
        figure.add_trace(
            go.Bar(
                x=[row.share for row in some],
                y=[row.part for row in some],
                orientation="h",
                name=name if any(row.p is not None for row in some) else "too few pictures to test",
                marker={"color": colour},
                error_x=whiskers([(row.share or 0.0, row.low, row.high) for row in some]),
                customdata=[_told(row) for row in some],
                hovertemplate="%{y}: %{x:.1%}<br>%{customdata}<extra></extra>",
            )
        )  # fmt: skip
    styled(figure, title, height=150 + 24 * max(1, len(heads)))
    figure.update_layout(barmode="overlay", bargap=0.3)
    figure.update_xaxes(title_text="share of what all parts carry", tickformat=".0%")
    figure.update_yaxes(
        categoryorder="array", categoryarray=[row.part for row in heads], autorange="reversed", showgrid=False
    )
    return _empty(figure) if not heads else figure


def grid(rows: Sequence[HeadShare], title: str) -> go.Figure:
    """The share of every head, layers down and heads across; a dot marks those beyond labels dealt by chance."""
    heads = _heads(rows)
    layers = 1 + max((row.layer for row in heads), default=0)
    count = 1 + max((row.head for row in heads), default=0)
    shares, told = np.full((layers, count), np.nan), np.full((layers, count), "", dtype=object)
    for row in heads:
        shares[row.layer, row.head] = row.share
        told[row.layer, row.head] = f"{row.part}<br>{_told(row)}"
    limit = float(np.nanmax(np.abs(shares))) if heads else 1.0
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(range(count)), y=list(range(layers)),
            zmid=0, zmin=-limit, zmax=limit, colorscale=DIVERGING, customdata=told,
            text=signs(shares), texttemplate="%{text}",
            colorbar={"title": {"text": "share"}, "tickformat": ".0%", "thickness": 12, "outlinewidth": 0},
            hovertemplate="%{customdata}<br>%{z:.1%}<extra></extra>",
        )
    )  # fmt: skip
    clear = [row for row in heads if row.clear]
    figure.add_trace(
        go.Scatter(
            x=[row.head for row in clear], y=[row.layer for row in clear], mode="markers",
            marker={"color": "#202020", "size": 5, "line": {"color": "#ffffff", "width": 1}},
            name="beyond labels dealt by chance", hoverinfo="skip", showlegend=bool(clear),
        )
    )  # fmt: skip
    styled(figure, title, height=180 + 26 * layers)
    figure.update_xaxes(title_text="head", showgrid=False, zeroline=False, dtick=1 if count <= 16 else None)
    figure.update_yaxes(
        title_text="layer", showgrid=False, zeroline=False, dtick=1 if layers <= 16 else None,
        range=[layers - 0.5, -0.5],
    )  # fmt: skip
    return _empty(figure) if not heads else figure


def _heads(rows: Sequence[HeadShare]) -> list[HeadShare]:
    """The heads among the parts that have a share, those that carry most first."""
    return sorted(
        (row for row in rows if row.kind == "head" and row.share is not None), key=lambda row: -row.value
    )


def _told(row: HeadShare) -> str:
    if row.p is None:
        return "too few pictures to test"
    corrected = "" if row.p_adjusted is None else f", corrected over heads {row.p_adjusted:.2g}"
    return f"p = {row.p:.2g}{corrected}"


def _empty(figure: go.Figure) -> go.Figure:
    figure.add_annotation(text="The pictures do not differ in it: there is nothing to share.", showarrow=False)
    return figure
