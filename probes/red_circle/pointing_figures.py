"""Figures of pointing: which region each visual prompt takes each text for, and how often it is right."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from probes.core.plotting import BLUE, GREY, ORANGE, shortened, styled, whiskers
from probes.red_circle.pointing import SUBTRACTED
from probes.red_circle.result import RedCircleResult

ASKED = 8
"""Texts drawn; the table has all."""
PALE = ((0.0, "#f4f4f2"), (1.0, "#f3b53f"))
"""Light throughout, so that the numbers on it can be read by day and by night."""
PICTURE = 260
"""Pixels of height of the picture above the table."""
SUFFIX = f", {SUBTRACTED}"


def picks(result: RedCircleResult) -> go.Figure:
    """Above the picture with its regions, numbered; below which of them each prompt takes each text for."""
    texts = list(dict.fromkeys(one.text for one in result.picks))[:ASKED]
    prompts = list(dict.fromkeys(one.prompt for one in result.picks if not one.prompt.endswith(SUFFIX)))
    chosen = {(one.prompt, one.text): one for one in result.picks}
    below = 34 * len(prompts)
    shares = [PICTURE / (PICTURE + below), below / (PICTURE + below)]
    figure = go.Figure().set_subplots(rows=2, cols=1, row_heights=shares, vertical_spacing=0.03)
    height, width = result.shown.decode().shape[:2]
    figure.add_layout_image(
        source=result.shown.uri, x=0, y=0, sizex=1, sizey=1, xref="x", yref="y", sizing="stretch", layer="below"
    )
    boxes = {one.region: (one.x0, one.y0, one.x1, one.y1) for one in result.picks}
    for region, (x0, y0, x1, y1) in sorted(boxes.items()):
        figure.add_trace(_outline(region, x0, y0, x1, y1), row=1, col=1)
    shown = [[chosen[f"{prompt}{SUFFIX}", text] for text in texts] for prompt in prompts]
    figure.add_trace(
        go.Heatmap(
            z=[[one.ahead for one in row] for row in shown],
            x=list(range(len(texts))), y=list(range(len(prompts))),
            text=[[str(one.region) for one in row] for row in shown], texttemplate="%{text}",
            colorscale=PALE, zmin=0, customdata=[[one.name for one in row] for row in shown],
            colorbar={"title": {"text": "ahead of<br>the next"}, "thickness": 12, "outlinewidth": 0},
            hovertemplate="region %{text} %{customdata}<br>ahead by %{z:.2f}<extra></extra>",
        ),
        row=2, col=1,
    )  # fmt: skip
    styled(figure, "Which region is it? (scores subtracted)", height=160 + PICTURE + below)
    figure.update_xaxes(visible=False, range=[0, 1], constrain="domain", row=1)
    figure.update_yaxes(
        visible=False, range=[1, 0], scaleanchor="x", scaleratio=height / width, constrain="domain", row=1
    )
    names = [shortened(text, 16) for text in texts]
    figure.update_xaxes(tickvals=list(range(len(texts))), ticktext=names, tickangle=30, showgrid=False, row=2)
    figure.update_yaxes(
        tickvals=list(range(len(prompts))),
        ticktext=prompts,
        range=[len(prompts) - 0.5, -0.5],
        showgrid=False,
        row=2,
    )
    return figure


def _outline(region: int, x0: float, y0: float, x1: float, y1: float) -> go.Scatter:
    return go.Scatter(
        x=[x0, x1, x1, x0, x0, None, (x0 + x1) / 2],
        y=[y0, y0, y1, y1, y0, None, (y0 + y1) / 2],
        text=["", "", "", "", "", "", f"<b>{region}</b>"],
        mode="lines+text",
        line={"color": ORANGE, "width": 2},
        textfont={"color": ORANGE, "size": 16},
        showlegend=False,
        hoverinfo="skip",
    )


def pointing(result: RedCircleResult) -> go.Figure:
    """How often each visual prompt finds the region that has the name, plain and with scores subtracted."""
    rows = [one for one in result.pointing if not one.prompt.endswith(SUFFIX)]
    subtracted = {one.prompt.removesuffix(SUFFIX): one for one in result.pointing if one.prompt.endswith(SUFFIX)}
    figure = go.Figure()
    for name, colour, symbol, shift, found in (
        ("plain", BLUE, "circle", -0.13, rows),
        (SUBTRACTED, ORANGE, "diamond", 0.13, [subtracted[one.prompt] for one in rows]),
    ):
        figure.add_trace(
            go.Scatter(
                x=[one.value for one in found],
                y=np.arange(len(found)) + shift,
                error_x=whiskers([(one.value, one.low, one.high) for one in found]),
                text=[f"{one.correct} of {one.total}, p = {one.p_adjusted:.2g}" for one in found],
                mode="markers",
                name=name,
                marker={"color": colour, "symbol": symbol, "size": 9},
                hovertemplate="%{x:.1%}<br>%{text}<extra></extra>",
            )
        )  # fmt: skip
    chance = rows[0].chance
    figure.add_vline(x=chance, line={"color": GREY, "dash": "dash"}, annotation_text=f"chance {chance:.0%}")
    styled(figure, f"How often the named region is found ({rows[0].total} questions)", height=180 + 34 * len(rows))
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[one.prompt for one in rows],
        range=[len(rows) - 0.5, -0.5],
        zeroline=False,
    )
    return figure
