"""Figures of a result: effects of all parts, maps over the picture, and what was asked besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from probes.attention_heads import (
    describing_figures,
    dropping_figures,
    finding_figures,
    segmented_figures,
    words_figures,
)
from probes.attention_heads.ablating import Ablated, LayerStep
from probes.attention_heads.result import AttentionHeadsResult
from probes.core.plotting import BLUE, DIVERGING, GREY, ORANGE, VERMILION, shortened, signs, styled, whiskers

OVER = ((0.0, "rgba(0,114,178,0.85)"), (0.5, "rgba(242,242,242,0.05)"), (1.0, "rgba(213,94,0,0.85)"))
"""Blue where the text loses, vermilion where it gains; where nothing happens the picture shows through."""
Panel = tuple[str, NDArray[np.floating], Sequence[tuple[float, str]]]
LOOKED = ((0.0, "rgba(0,158,115,0)"), (1.0, "rgba(0,158,115,0.9)"))


def figures(result: AttentionHeadsResult) -> Mapping[str, go.Figure]:
    """Name -> figure, the main one first; only what was asked for."""
    drawn = {"grid": grid(result), "maps": maps(result)}
    if result.description is not None:
        lead = result.leading
        drawn["directions"] = describing_figures.directions(result.description, lead.layer, lead.head)
        drawn["overview"] = describing_figures.overview(result.description)
    if result.found:
        drawn["found"] = finding_figures.found(result.found, f"Heads that carry {shortened(result.carries, 60)}")
        drawn["carried"] = finding_figures.grid(result.found, "The same, by layer and head")
    if result.ablated:
        drawn["ablated"] = ablated(result.ablated)
    if result.layers:
        drawn["layers"] = layers(result.layers)
    if result.words is not None:
        drawn["words"] = words_figures.words(result.words)
        drawn["word maps"] = words_figures.word_maps(result.words, result.view)
    if result.dropped is not None:
        drawn["dropped"] = dropping_figures.dropped(result.dropped)
    if result.segmented is not None:
        drawn["masks"] = segmented_figures.masks(result.segmented.rows)
    if result.mask is not None:
        drawn["mask"] = mask(result)
    if result.text_heads is not None:
        drawn["text heads"] = words_figures.text_heads(result.text_heads)
    return drawn


def grid(result: AttentionHeadsResult) -> go.Figure:
    """Direct effect of every head, layer by layer, MLPs in the last column."""
    effects = result.effects
    values = effects.contrast
    titles = [f"head {head}" for head in range(values.shape[1])]
    if effects.mlps.shape[1]:
        mlps = np.full(len(values), np.nan)
        mlps[: effects.mlps.shape[1]] = effects.mlps[0] - effects.mlps[1]
        values, titles = np.column_stack([values, mlps]), [*titles, "MLP"]
    reach = float(np.nanmax(np.abs(values))) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=values, x=list(range(len(titles))), y=list(range(len(values))), zmin=-reach, zmax=reach,
            colorscale=DIVERGING,
            text=signs(values), texttemplate="%{z:+.3f}" if len(titles) <= 9 else "%{text}", xgap=2, ygap=2,
            colorbar={"title": {"text": "cosine"}, "thickness": 12, "outlinewidth": 0},
            customdata=[[f"{layer}, {title}" for title in titles] for layer in effects.layers],
            hovertemplate="%{customdata}: %{z:+.4f}<extra></extra>",
        )
    )  # fmt: skip
    check = effects.check
    rest = sum(row.effect for row in effects.rest)
    asked = f"“{shortened(result.texts[0], 24)}”" + (" against others" if len(result.texts) > 1 else "")
    styled(figure, f"What each part adds to {asked}", height=170 + max(30, 440 // len(values)) * len(values))
    figure.update_yaxes(
        range=[len(values) - 0.5, -0.5], tickvals=list(range(len(values))), ticktext=list(effects.layers),
        showgrid=False, zeroline=False,
    )  # fmt: skip
    figure.update_xaxes(
        range=[-0.5, len(titles) - 0.5], tickvals=list(range(len(titles))), ticktext=titles, zeroline=False,
        showgrid=False,
        title_text=f"all heads and MLPs, and {rest:+.3f} of the rest, sum to {check.sum_of_terms:+.3f}",
    )  # fmt: skip
    return figure


def maps(result: AttentionHeadsResult) -> go.Figure:
    """The picture under what all heads add, what the leading head adds, and where that head attends."""
    effects, lead = result.effects, result.leading
    contrast = effects.maps[0] - effects.maps[1]
    place = lead.layer, lead.head
    panels: list[Panel] = [
        ("all heads add", contrast.sum(axis=(0, 1)), OVER),
        (f"{lead.name} adds", contrast[place], OVER),
    ]
    if effects.attention.size:
        panels.append((f"{lead.name} attends to", effects.attention[place], LOOKED))
    figure = go.Figure().set_subplots(rows=1, cols=len(panels), subplot_titles=[title for title, _, _ in panels])
    for column, (_, cells, scale) in enumerate(panels, start=1):
        _lay(figure, result.view.uri, cells, scale, column)
    styled(figure, "Where the heads look", height=340)
    figure.update_layout(margin={"t": 84})
    return figure


def _lay(
    figure: go.Figure, uri: str, cells: NDArray[np.floating], scale: Sequence[tuple[float, str]], column: int
) -> None:
    """Put a map over the picture into a panel."""
    rows, columns = cells.shape
    reach = float(np.abs(cells).max()) or 1.0
    figure.add_trace(
        go.Heatmap(
            z=cells, x=(np.arange(columns) + 0.5) / columns, y=(np.arange(rows) + 0.5) / rows, showscale=False,
            zmin=-reach if scale is OVER else 0.0, zmax=reach, colorscale=scale,
            text=signs(cells) if scale is OVER else None, texttemplate="%{text}" if scale is OVER else None,
            hovertemplate="%{z:+.4f}<extra></extra>",
        ),
        row=1, col=column,
    )  # fmt: skip
    axis = "" if column == 1 else str(column)
    figure.add_layout_image(
        source=uri, x=0, y=0, sizex=1, sizey=1, xref=f"x{axis}", yref=f"y{axis}", sizing="stretch", layer="below"
    )
    figure.update_xaxes(visible=False, range=[0, 1], constrain="domain", row=1, col=column)
    figure.update_yaxes(
        visible=False, range=[1, 0], scaleanchor=f"x{axis}", scaleratio=rows / columns, constrain="domain", row=1,
        col=column,
    )  # fmt: skip


def mask(result: AttentionHeadsResult) -> go.Figure:
    """What the tower sees, with all dimmed outside of the text's mask."""
    figure = go.Figure()
    assert result.mask is not None  # for the type checker: there is no such figure without one
    for place, raster in enumerate((result.view, result.mask)):
        figure.add_layout_image(
            source=raster.uri, x=place, y=0, sizex=0.95, sizey=0.95, xref="x", yref="y", xanchor="left",
            yanchor="top", sizing="contain",
        )  # fmt: skip
    styled(figure, f"“{shortened(result.texts[0], 24)}” as a mask: where its map is above its mean", height=320)
    figure.update_xaxes(visible=False, range=[0, 2])
    figure.update_yaxes(visible=False, range=[-1, 0], scaleanchor="x")
    return figure


def ablated(rows: Sequence[Ablated]) -> go.Figure:
    """Zero-shot accuracy with everything on, with parts off, and with as many heads by chance."""
    colours = {0: GREY, 1: VERMILION, 2: BLUE}
    figure = go.Figure(
        go.Bar(
            x=[row.accuracy for row in rows],
            y=[f"off: {shortened(row.off, 40)}" for row in rows],
            orientation="h",
            marker_color=[colours[place] for place in range(len(rows))],
            error_x=whiskers([(row.accuracy, row.low, row.high) for row in rows]),
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
    )  # fmt: skip
    styled(figure, f"Zero-shot accuracy on {rows[0].n} scenes", height=170 + 46 * len(rows))
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    return figure


def layers(rows: Sequence[LayerStep]) -> go.Figure:
    """Zero-shot accuracy as the first layers' heads, or MLPs, go."""
    figure = go.Figure()
    for part, colour in (("heads", VERMILION), ("MLPs", ORANGE)):
        steps = [row for row in rows if row.part == part]
        figure.add_trace(
            go.Scatter(
                x=[row.layers for row in steps], y=[row.accuracy for row in steps], name=part,
                mode="lines+markers",
                line={"color": colour, "dash": "solid" if part == "heads" else "dash"},
                error_y=whiskers([(row.accuracy, row.low, row.high) for row in steps]),
                hovertemplate=f"{part} of the first %{{x}} layers off: %{{y:.1%}}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_hline(y=rows[0].chance, line={"color": GREY, "dash": "dot"}, annotation_text="chance")
    styled(figure, f"Accuracy as layers are switched off ({rows[0].n} scenes)")
    figure.update_xaxes(title_text="layers whose heads, or MLPs, are at their mean, from the first on", dtick=1)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return figure
