"""Figures of words: what each adds here and elsewhere, where it does so, and what the text tower's heads add."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from probes.attention_heads.text_heads import TextHeads
from probes.attention_heads.word_fit import WordRow
from probes.attention_heads.words import WordsResult
from probes.core.pictures import Raster
from probes.core.plotting import (
    BLUE,
    DIVERGING,
    GREY,
    RULE,
    SKY,
    SURFACE,
    TEXT,
    VERMILION,
    shortened,
    signs,
    styled,
)

OVER = ((0.0, "rgba(0,114,178,0.85)"), (0.5, "rgba(242,242,242,0.1)"), (1.0, "rgba(213,94,0,0.85)"))
"""Blue where the word takes away, vermilion where it adds; where nothing happens the picture shows through."""
CALLED = (
    ("fits", BLUE, lambda row: row.fits),
    ("misfit", VERMILION, lambda row: row.misfit),
    ("neither", SKY, lambda row: not (row.fits or row.misfit or row.function_word)),
    ("function word", GREY, lambda row: row.function_word),
)
"""What a word is called, its colour, and which words are called so."""
TOKENS = 150
"""Pixels of height of the bars of tokens."""


def words(result: WordsResult) -> go.Figure:
    """What each word adds to the similarity, and mean and spread of what it adds to other pictures."""
    figure = go.Figure()
    for name, colour, belongs in CALLED:
        chosen = [(place, row) for place, row in enumerate(result.rows) if belongs(row)]
        if chosen:
            figure.add_trace(_bars(name, colour, chosen))
    figure.add_trace(
        go.Scatter(
            x=[row.others_mean for row in result.rows],
            y=list(range(len(result.rows))),
            error_x={"type": "data", "array": [row.others_sd for row in result.rows], "color": TEXT},
            mode="markers",
            marker={"symbol": "diamond", "color": TEXT, "size": 7},
            name="other pictures: mean ± SD",
            hovertemplate="other pictures: mean %{x:+.4f}<extra></extra>",
        )
    )
    styled(figure, f"Which words fit? ({result.rows[0].others} other pictures)", 170 + 34 * len(result.rows))
    figure.update_yaxes(
        tickvals=list(range(len(result.rows))),
        ticktext=[f"{shortened(row.word, 20)}  ({row.score:+.1f} SD)" for row in result.rows],
        range=[len(result.rows) - 0.5, -0.5],
        zeroline=False,
    )
    figure.update_xaxes(title_text="added to the cosine", zeroline=True, zerolinewidth=2)
    figure.update_layout(margin={"b": 90})
    return figure


def _bars(name: str, colour: str, chosen: list[tuple[int, WordRow]]) -> go.Bar:
    rows = [row for _, row in chosen]
    told = [
        f"{row.score:+.2f} SD ({row.score_low:+.2f} to {row.score_high:+.2f})<br>adds as much: p = "
        f"{row.p_fits_adjusted:.2g}, as little: p = {row.p_adjusted:.2g}"
        for row in rows
    ]
    return go.Bar(
        x=[row.contribution for row in rows],
        y=[place for place, _ in chosen],
        orientation="h",
        width=0.7,
        name=name,
        marker={"color": colour},
        customdata=[[shortened(row.word, 40), said] for row, said in zip(rows, told, strict=True)],
        hovertemplate="%{customdata[0]}: %{x:+.4f}<br>%{customdata[1]}<extra></extra>",
    )


def word_maps(result: WordsResult, view: Raster) -> go.Figure:
    """What a word adds through each patch, over what the tower sees; a menu chooses the word.

    The first one shown is the misfit with the lowest contribution, or else the word that adds most.
    """
    reach = float(np.abs(result.maps).max()) or 1.0
    first = _first(result)
    rows, columns = result.maps.shape[1:]
    figure = go.Figure()
    for place, row in enumerate(result.rows):
        figure.add_trace(
            go.Heatmap(
                z=result.maps[place],
                x=(np.arange(columns) + 0.5) / columns,
                y=(np.arange(rows) + 0.5) / rows,
                zmin=-reach, zmax=reach, zmid=0.0, colorscale=OVER, visible=place == first,
                text=signs(result.maps[place]), texttemplate="%{text}",
                name=shortened(row.word),
                colorbar={"title": {"text": "added to<br>the cosine"}, "thickness": 12, "outlinewidth": 0},
                hovertemplate="%{z:+.4f}<extra></extra>",
            )
        )  # fmt: skip
    height, width = view.decode().shape[:2]
    figure.add_layout_image(
        source=view.uri, x=0, y=0, sizex=1, sizey=1, xref="x", yref="y", sizing="stretch", layer="below"
    )
    styled(figure, _map_title(result, first), height=480)
    figure.update_layout(updatemenus=[_menu(result, first)], margin={"t": 100})
    figure.update_xaxes(visible=False, range=[0, 1], constrain="domain")
    figure.update_yaxes(
        visible=False, range=[1, 0], scaleanchor="x", scaleratio=height / width, constrain="domain"
    )
    return figure


def _first(result: WordsResult) -> int:
    """The word whose map is shown first."""
    wrong = [place for place, row in enumerate(result.rows) if row.misfit]
    if wrong:
        return min(wrong, key=lambda place: result.rows[place].contribution)
    content = [place for place, row in enumerate(result.rows) if not row.function_word]
    return max(content or range(len(result.rows)), key=lambda place: result.rows[place].contribution)


def _map_title(result: WordsResult, place: int) -> str:
    row = result.rows[place]
    return f"Where “{shortened(row.word, 24)}” adds {row.contribution:+.3f}"


def _menu(result: WordsResult, first: int) -> dict[str, object]:
    """The menu of words."""
    count = len(result.rows)
    buttons = [
        {
            "label": shortened(row.word, 32),
            "method": "update",
            "args": [
                {"visible": [other == place for other in range(count)]},
                {"title.text": _map_title(result, place)},
            ],
        }
        for place, row in enumerate(result.rows)
    ]
    return {
        "buttons": buttons, "active": first, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom",
        "bgcolor": SURFACE, "bordercolor": RULE, "font": {"color": TEXT}, "showactive": True,
    }  # fmt: skip


def text_heads(found: TextHeads) -> go.Figure:
    """What each head and MLP of the text tower adds to the similarity, and through which tokens heads do so."""
    layers, tokens = len(found.heads), len(found.by_token)
    titles = ["", *(f"“{shortened(text, 24)}”: heads by token" for text in found.texts[:tokens])]
    grid = 34 * layers
    figure = go.Figure().set_subplots(
        rows=1 + tokens, cols=1, subplot_titles=titles, row_heights=[grid, *([TOKENS] * tokens)],
        vertical_spacing=min(0.18, 70 / (grid + TOKENS * tokens)),
    )  # fmt: skip
    figure.add_trace(_grid(found), row=1, col=1)
    for place, effects in enumerate(found.by_token):
        called = [shortened(one, 14) for one in found.tokens[place]]
        figure.add_trace(
            go.Bar(
                x=list(range(len(called))), y=effects.sum(axis=(0, 1), dtype=np.float64), showlegend=False,
                marker={"color": BLUE if place == 0 else GREY}, customdata=called,
                hovertemplate="%{customdata}: %{y:+.4f}<extra></extra>",
            ),
            row=2 + place, col=1,
        )  # fmt: skip
        figure.update_xaxes(tickvals=list(range(len(called))), ticktext=called, zeroline=False, row=2 + place)
        figure.update_yaxes(title_text="cosine", row=2 + place)
    asked = " rather than ".join(f"“{shortened(text, 18)}”" for text in found.texts)
    styled(figure, f"The text’s heads: {asked} {found.check.similarity:+.3f}", 150 + grid + (TOKENS + 50) * tokens)
    figure.update_yaxes(autorange="reversed", showgrid=False, row=1)
    figure.update_xaxes(showgrid=False, row=1)
    return figure


def _grid(found: TextHeads) -> go.Heatmap:
    """Heads layer by layer, MLPs in the last column."""
    values, across = found.heads, [f"head {head}" for head in range(found.heads.shape[1])]
    if len(found.mlps):
        mlps = np.full(len(values), np.nan)
        mlps[: len(found.mlps)] = found.mlps
        values, across = np.column_stack([values, mlps]), [*across, "MLP"]
    reach = float(np.nanmax(np.abs(values))) or 1.0
    return go.Heatmap(
        z=values, x=across, y=list(found.layers), zmin=-reach, zmax=reach, colorscale=DIVERGING, xgap=2, ygap=2,
        text=signs(values), texttemplate="%{z:+.3f}" if len(across) <= 9 else "%{text}",
        colorbar={"title": {"text": "cosine"}, "thickness": 12, "outlinewidth": 0},
        hovertemplate="%{y}, %{x}: %{z:+.4f}<extra></extra>",
    )  # fmt: skip
