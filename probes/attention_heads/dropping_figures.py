"""The figure of dropped heads: accuracy by group before, after, and with as many heads by chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import plotly.graph_objects as go

from probes.attention_heads.dropping import Dropped, DropRow
from probes.core.plotting import BLUE, GREY, ORANGE, shortened, styled, whiskers

SHOWN = 12
"""Groups that are drawn, with all pictures and the worst group; the table has every one."""


def dropped(result: Dropped, heads: int | None = None) -> go.Figure:
    """Accuracy by group before and after heads are dropped, with 95 % intervals, and with heads by chance.

    Args:
        result: what was measured.
        heads: how many are dropped; as many as there are at most for None.

    Raises:
        ValueError: so many heads were not dropped.
    """
    count = max(row.heads for row in result.rows) if heads is None else heads
    rows = [row for row in result.rows if row.heads == count]
    if not rows:
        raise ValueError(f"{count} heads were not dropped")
    rows = rows if len(rows) <= SHOWN else [*rows[: SHOWN - 1], rows[-1]]
    many = "1 head" if count == 1 else f"{count} heads"
    drawn = (
        ("everything on", GREY, [(row.before, row.before_low, row.before_high) for row in rows], _before),
        (f"{many} off", ORANGE, [(row.after, row.after_low, row.after_high) for row in rows], _after),
        (f"{many} off by chance", BLUE, [(row.random, row.random_low, row.random_high) for row in rows], _random),
    )
    figure = go.Figure([_bars(rows, *one) for one in drawn])
    listed = ", ".join(f"L{one.layer}H{one.head}" for one in result.chosen[:count][:3])
    more = ", …" if count > 3 else ""
    styled(figure, f"Zero-shot accuracy without {listed}{more}", height=180 + 70 * len(rows))
    figure.update_layout(barmode="group", legend_traceorder="normal")
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", title_text="recognised")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def _bars(
    rows: Sequence[DropRow],
    name: str,
    colour: str,
    values: Sequence[tuple[float, float, float]],
    tell: Callable[[DropRow], str],
) -> go.Bar:
    """Bars of values with the ends of their whiskers, and what the hover tells."""
    return go.Bar(
        x=[value for value, _, _ in values],
        y=[shortened(row.group) for row in rows],
        orientation="h",
        name=name,
        marker_color=colour,
        error_x=whiskers(values),
        text=[tell(row) for row in rows],
        textposition="none",
        hovertemplate="%{y}: %{x:.1%}<br>%{text}<extra></extra>",
    )  # fmt: skip


def _before(row: DropRow) -> str:
    return f"{row.n} pictures{_which(row.worst_before)}"


def _after(row: DropRow) -> str:
    return f"change {row.change:+.3f}, corrected p = {row.p_adjusted:.2g}{_which(row.worst_after)}"


def _random(row: DropRow) -> str:
    return f"central 95 % of draws; rank of the chosen among them: corrected p = {row.random_p_adjusted:.2g}"


def _which(name: str) -> str:
    return f", {shortened(name, 40)}" if name else ""
