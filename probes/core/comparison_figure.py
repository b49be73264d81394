"""What two models differ in as a forest: a point and an interval each, one block a unit."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from probes.core.comparison import Comparison, Difference

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST = 24
"""Differences that are drawn: those that stand out most."""
ROW, BLOCK, FRAME = 40, 64, 110
"""Heights in pixels."""
ABOVE = 0.48
"""How far above its point a row is named, in rows: beside it a phone would have no room for the intervals."""


def forest(comparison: Comparison) -> go.Figure:
    """Differences with 95 % intervals; filled where clear, hollow where not, a grey cross where nothing tells."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    from probes.core.plotting import styled

    drawn = comparison.by_strength[:MOST]
    kept = [one for one in comparison.differences if one in drawn]
    units = list(dict.fromkeys(one.unit for one in kept))
    blocks = [[one for one in kept if one.unit == unit] for unit in units]
    below = "95 % intervals, filled where clear"  # on a phone both lines have room
    if len(kept) < len(comparison.differences):
        below += f"; {len(kept)} of {len(comparison.differences)}"
    title = f"{escape(comparison.title, quote=False)}<br><span style='font-size:13px'>{below}</span>"
    if not blocks:
        return styled(go.Figure(), title, FRAME + BLOCK)
    height = FRAME + sum(BLOCK + ROW * len(block) for block in blocks)
    figure = make_subplots(
        rows=len(blocks),
        cols=1,
        row_heights=[len(block) + 0.5 for block in blocks],
        vertical_spacing=BLOCK / height if len(blocks) > 1 else 0.0,
    )
    for row, (unit, block) in enumerate(zip(units, blocks, strict=True), start=1):
        figure.add_trace(_points(block), row=row, col=1)
        said = f"difference in {unit}" if unit else "difference"
        figure.update_xaxes(title_text=said, nticks=5, tickangle=0, row=row, col=1)
        figure.update_yaxes(range=[len(block) - 0.5, -0.8], visible=False, row=row, col=1)
        for place, one in enumerate(block):
            figure.add_annotation(**_name(one), y=place - ABOVE, row=row, col=1)
        figure.add_vline(x=0, line={"color": "#808890", "width": 1}, row=row, col=1)
    return styled(figure, title, height)


def _points(block: Sequence[Difference]) -> go.Scatter:
    import plotly.graph_objects as go

    from probes.core.plotting import BLUE, GREY, whiskers

    colours = [GREY if one.clear is None else BLUE for one in block]
    return go.Scatter(
        x=[one.difference for one in block],
        y=list(range(len(block))),
        mode="markers",
        marker={
            "size": 9,
            "color": colours,
            "symbol": ["x" if one.clear is None else "circle" if one.clear else "circle-open" for one in block],
        },
        error_x=whiskers([(one.difference, one.low, one.high) for one in block]) | {"color": BLUE},
        customdata=[_hover(one) for one in block],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )


def _name(one: Difference) -> dict[str, object]:
    from probes.core.plotting import shortened

    left = {"x": 0, "xref": "x domain", "xanchor": "left"}
    return left | {"text": shortened(one.what, 48), "yanchor": "middle", "showarrow": False, "font": {"size": 13}}


def _hover(one: Difference) -> str:
    lines = [one.what, one.describe()]
    if one.p is not None:
        shown = one.p if one.p_adjusted is None else one.p_adjusted
        lines.append(f"p = {shown:.2g}" + ("" if one.p_adjusted is None else " (corrected)"))
    return "<br>".join(escape(line, quote=False) for line in [*lines, one.note] if line)
