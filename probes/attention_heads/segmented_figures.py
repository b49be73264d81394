"""The figure of maps as masks: how well each kind of map fits."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from probes.attention_heads.scene_maps import PATCH_TERMS
from probes.attention_heads.segmented import MapFit
from probes.core.plotting import BLUE, ORANGE, styled, whiskers


def masks(rows: Sequence[MapFit]) -> go.Figure:
    """Mean IoU and average precision of each kind of map, with 95 % intervals over pictures."""
    found = [(row.miou, row.miou_low, row.miou_high) for row in rows]
    ordered = [(row.precision, row.precision_low, row.precision_high) for row in rows]
    measures = (
        ("mean IoU of masks", BLUE, found, [_ahead(row, row.miou_ahead, row.miou_p_adjusted) for row in rows]),
        (
            "average precision of maps",
            ORANGE,
            ordered,
            [_ahead(row, row.precision_ahead, row.precision_p_adjusted) for row in rows],
        ),
    )
    figure = go.Figure()
    for name, colour, values, told in measures:
        figure.add_trace(
            go.Bar(
                x=[value for value, _, _ in values],
                y=[row.kind for row in rows],
                orientation="h",
                name=name,
                marker_color=colour,
                error_x=whiskers(values),
                text=told,
                textposition="none",
                hovertemplate="%{y}: %{x:.3f}<br>%{text}<extra></extra>",
            )
        )  # fmt: skip
    many = f"{rows[0].things} things in {rows[0].pictures} scenes" if rows else "nothing"
    styled(figure, f"How well maps find what a text names ({many})", height=190 + 54 * len(rows))
    figure.update_layout(barmode="group", legend_traceorder="normal")
    figure.update_xaxes(range=[0, 1], title_text="0: nothing right, 1: every pixel")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def _ahead(row: MapFit, ahead: float | None, p: float | None) -> str:
    if ahead is None or p is None:
        return f"{row.things} things"
    return f"{PATCH_TERMS} less this: {ahead:+.3f}, corrected p = {p:.2g}"
