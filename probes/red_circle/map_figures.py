"""Figures of sweeps: where each text lives, drawn over the picture, and what size, line width and colour do."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from probes.core.marks import COLOURS
from probes.core.plotting import GREY, PALETTE, RULE, SURFACE, TEXT, shortened, signs, styled
from probes.red_circle.result import RedCircleResult
from probes.red_circle.view import WHOLE

MAPPED = 20
"""Texts with a map: the headline's, then those whose map varies most; the table has all."""
CURVED = 5
"""Texts with a curve, the first so many, so that two models show the same ones in the same colours."""
OVER = ((0.0, "rgba(0,114,178,0.85)"), (0.5, "rgba(242,242,242,0.1)"), (1.0, "rgba(213,94,0,0.85)"))
"""Blue where the text falls, vermilion where it rises; where nothing happens the picture shows through."""
PANELS = (("radius", "radius"), ("size", "size"), ("width", "line width"), ("colour", "colour"))


def sweep_map(result: RedCircleResult) -> go.Figure:
    """Change of a text's logit with the mark at each place, over the picture; a menu chooses the text."""
    sweep = result.sweep
    assert sweep is not None  # for the type checker: there is no such figure without one
    changes = sweep.logits - sweep.unmarked
    strongest = result.texts.index(result.strongest().text)
    varied = np.argsort(-changes.std(axis=0), kind="stable")
    order = sorted(varied, key=lambda text: text != strongest)[:MAPPED]
    reach = float(np.abs(changes[:, order]).max()) or 1.0
    centres = (np.arange(sweep.grid) + 0.5) / sweep.grid
    figure = go.Figure()
    for place, text in enumerate(order):
        cells = sweep.cells(int(text))
        figure.add_trace(
            go.Heatmap(
                z=cells, x=centres, y=centres, zmin=-reach, zmax=reach, zmid=0.0, colorscale=OVER,
                text=signs(cells), texttemplate="%{text}",
                visible=place == 0, name=shortened(result.texts[text]),
                colorbar={"title": {"text": "change of<br>the logit"}, "thickness": 12, "outlinewidth": 0},
                hovertemplate="mark at %{x:.2f}, %{y:.2f}<br>change %{z:+.2f}<extra></extra>",
            )
        )  # fmt: skip
    height, width = result.shown.decode().shape[:2]
    figure.add_layout_image(
        source=result.shown.uri, x=0, y=0, sizex=1, sizey=1, xref="x", yref="y", sizing="stretch", layer="below"
    )
    if result.view != WHOLE:
        left, top, right, bottom = result.view
        figure.add_trace(
            go.Scatter(
                x=[left, right, right, left, left], y=[top, top, bottom, bottom, top], mode="lines",
                line={"color": GREY, "width": 2, "dash": "dash"}, name="what the tower sees", showlegend=True,
                hoverinfo="skip",
            )
        )  # fmt: skip
    rest = "" if sweep.whole else f" ({len(sweep.places)} of {sweep.grid**2} places)"
    first = shortened(result.texts[order[0]], 24)
    styled(figure, f"Where “{first}” lives{rest}", height=480)
    figure.update_layout(updatemenus=[_menu(result, [int(text) for text in order], rest)], margin={"t": 100})
    figure.update_xaxes(visible=False, range=[0, 1], constrain="domain")
    figure.update_yaxes(
        visible=False, range=[1, 0], scaleanchor="x", scaleratio=height / width, constrain="domain"
    )
    return figure


def _menu(result: RedCircleResult, order: list[int], rest: str) -> dict[str, object]:
    """The menu of texts; the outline of what the tower sees stays."""
    outlines = int(result.view != WHOLE)
    buttons = [
        {
            "label": shortened(result.texts[text], 32),
            "method": "update",
            "args": [
                {"visible": [other == text for other in order] + [True] * outlines},
                {"title.text": f"Where “{shortened(result.texts[text], 24)}” lives{rest}"},
            ],
        }
        for text in order
    ]
    return {
        "buttons": buttons, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "bgcolor": SURFACE,
        "bordercolor": RULE, "font": {"color": TEXT}, "showactive": True,
    }  # fmt: skip


def curves(result: RedCircleResult) -> go.Figure:
    """Change of the texts that moved most by size, line width and colour, here and elsewhere."""
    panels = [(what, title) for what, title in PANELS if any(one.what == what for one in result.curves)]
    figure = go.Figure().set_subplots(
        rows=1, cols=len(panels), subplot_titles=[title for _, title in panels], shared_yaxes=True
    )
    chosen = range(min(CURVED, len(result.curves[0].changes)))
    ends = [float(value) for one in result.curves for value in one.changes[:CURVED]]
    ends += [
        float(value) for one in result.curves if one.elsewhere is not None for value in one.elsewhere[:CURVED]
    ]
    for column, (what, _) in enumerate(panels, start=1):
        steps = [one for one in result.curves if one.what == what]
        for colour, text in zip(PALETTE, chosen, strict=False):
            name = shortened(result.texts[text])
            for dash, told, values in (
                ("solid", name, [one.changes[text] for one in steps]),
                (
                    "dot",
                    f"{name}, elsewhere",
                    [None if one.elsewhere is None else one.elsewhere[text] for one in steps],
                ),
            ):
                figure.add_trace(
                    go.Scatter(
                        x=[one.value for one in steps], y=values, name=told, legendgroup=told,
                        showlegend=column == 1 and dash == "solid", mode="lines+markers",
                        line={"color": colour, "dash": dash, "width": 2.5 if dash == "solid" else 1.5},
                        marker={"size": 6 if dash == "solid" else 3}, text=[one.name for one in steps],
                        hovertemplate=f"{told}<br>{what} %{{text}}: %{{y:+.2f}}<extra></extra>",
                    ),
                    row=1, col=column,
                )  # fmt: skip
        if what == "colour":
            figure.update_xaxes(
                tickvals=list(range(len(COLOURS))),
                ticktext=list(COLOURS),
                tickangle=90,
                tickfont={"size": 10},
                col=column,
            )
    styled(figure, "By size, line and colour; dotted: elsewhere", height=420)
    room = 0.05 * (max(ends) - min(ends)) + 0.1
    figure.update_yaxes(range=[min(ends) - room, max(ends) + room], zeroline=True, zerolinewidth=2)
    figure.update_yaxes(title_text="change of the logit", col=1)
    figure.update_layout(margin={"t": 84, "b": 110})
    return figure
