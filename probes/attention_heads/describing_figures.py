"""Figures of what heads are about: the phrases of one head, and all heads at a glance."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from probes.attention_heads.describing import STEADY, Description, Direction, HeadVariance
from probes.core.plotting import BLUE, GREY, SEQUENTIAL, SKY, VERMILION, shortened, styled, whiskers
from probes.core.switches import Switches

LONGEST = 34
"""Letters of a phrase on the axis; the hover has all."""


def directions(description: Description, layer: int, head: int) -> go.Figure:
    """The phrases of one head: how much of its variance each adds; grey where another set might not have it."""
    rows = description.of(layer, head)
    figure = go.Figure()
    for steady, colour, name in _kinds(description):
        found = [row for row in rows if row.steady is steady]
        if found:
            figure.add_trace(_bars(found, colour, name))
    title = f"{_name(layer, head)}: phrases that span what it writes ({description.pictures} pictures)"
    styled(
        figure, title if rows else f"{_name(layer, head)} writes the same to all pictures", 170 + 34 * len(rows)
    )
    figure.update_layout(barmode="overlay", showlegend=True)
    reach = max((_end(row) for row in rows), default=1.0)
    figure.update_xaxes(
        title_text="share of the head's variance (95 % interval)", tickformat=".0%", range=[0, 1.35 * reach]
    )
    figure.update_yaxes(
        tickvals=[row.place for row in rows],
        ticktext=[_label(row) for row in rows],
        range=[len(rows) + 0.5, 0.5],
        showgrid=False,
        zeroline=False,
    )
    return figure


def _kinds(description: Description) -> tuple[tuple[bool | None, str, str], ...]:
    """What `steady` can be, with its colour and what the legend says."""
    of = f"of {description.resamples} resamples"
    return (
        (True, BLUE, f"steady: picked again in {STEADY:.0%} {of} or more"),
        (False, GREY, f"not steady: picked again in fewer than {STEADY:.0%} {of}"),
        (None, SKY, "not resampled: how steady is not known"),
    )


def _bars(rows: Sequence[Direction], colour: str, name: str) -> go.Bar:
    return go.Bar(
        x=[row.share for row in rows],
        y=[row.place for row in rows],
        orientation="h",
        name=name,
        marker={"color": colour},
        error_x=whiskers([(row.share, row.low, row.high) for row in rows]),
        customdata=[[shortened(row.phrase, 200), _told(row)] for row in rows],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
    )


def _label(row: Direction) -> str:
    """A phrase on the axis, and what it explains with those before it."""
    phrase = shortened(row.phrase, LONGEST)
    return f"{row.place}  {phrase}<br><span style='font-size:10px'>{row.cumulative:.0%} so far</span>"


def _end(row: Direction) -> float:
    return max(row.share, row.high or 0.0)


def _told(row: Direction) -> str:
    """A direction's numbers in words."""
    interval = "" if row.low is None else f" (95 % interval {row.low:.1%} to {row.high:.1%})"
    again = "" if row.kept is None else f"<br>picked again in {row.kept:.0%} of resamples"
    return f"{row.share:.1%} of the head's variance{interval}, {row.cumulative:.1%} so far{again}"


def overview(description: Description) -> go.Figure:
    """All heads: how much of its variance the phrases of each explain; a dot where the first one is steady."""
    heads = range(description.heads)
    rows = [description.variances[start : start + description.heads] for start in _starts(description)]
    first = {(one.layer, one.head): one for one in description.directions if one.place == 1}
    figure = go.Figure(
        go.Heatmap(
            z=[[one.explained if one.directions else None for one in row] for row in rows],
            x=list(heads), y=list(range(len(rows))), zmin=0, zmax=1, colorscale=SEQUENTIAL, xgap=2, ygap=2,
            customdata=[[_hover(one, first.get((one.layer, one.head))) for one in row] for row in rows],
            hovertemplate="%{customdata}<extra></extra>", hoverongaps=True,
            colorbar={
                "title": {"text": "variance<br>explained"}, "tickformat": ".0%", "thickness": 12,
                "outlinewidth": 0,
            },
        )
    )  # fmt: skip
    steady = [place for place, one in first.items() if one.steady]
    if steady:
        figure.add_trace(
            go.Scatter(
                x=[head for _, head in steady], y=[layer for layer, _ in steady], mode="markers",
                marker={"color": VERMILION, "size": 8, "line": {"color": "white", "width": 1}},
                name=f"first phrase is picked again in {STEADY:.0%} of resamples or more", showlegend=True,
                hoverinfo="skip",
            )
        )  # fmt: skip
    title = f"What up to {description.asked} phrases explain of each head ({description.pictures} pictures)"
    styled(figure, title, height=190 + 34 * len(rows))
    figure.update_xaxes(
        title_text="head", tickvals=list(heads), ticktext=[f"H{head}" for head in heads], showgrid=False,
        zeroline=False,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[f"L{layer}" for layer in range(len(rows))],
        range=[len(rows) - 0.5, -0.5], showgrid=False, zeroline=False,
    )  # fmt: skip
    return figure


def _starts(description: Description) -> range:
    return range(0, len(description.variances), description.heads)


def _hover(head: HeadVariance, first: Direction | None) -> str:
    told = [f"<b>{_name(head.layer, head.head)}</b>"]
    if first is None:
        told.append("writes the same to all pictures")
    else:
        told += [f"first: {shortened(first.phrase, 60)}", _told(first)]
        told.append(f"{head.explained:.1%} by {_counted(head.directions)}")
    if head.embedding is not None:
        told.append(f"{head.embedding:+.1%} of the embedding's variance goes through the head")
    return "<br>".join(told)


def _name(layer: int, head: int) -> str:
    return str(Switches.of_heads([(layer, head)]))


def _counted(count: int) -> str:
    return "1 phrase" if count == 1 else f"{count} phrases"
