"""Figures that set an audit beside something: a mitigation before and after, and published figures."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from probes.bias_audit.result import BiasAuditResult
from probes.core.plotting import BLUE, GREY, ORANGE, PALETTE, styled


def mitigation(result: BiasAuditResult) -> go.Figure:
    """Association before and after each method, and what it did to two accuracies."""
    figure = go.Figure().set_subplots(
        rows=1, cols=2, shared_yaxes=True, column_widths=[0.6, 0.4], horizontal_spacing=0.04,
        column_titles=["association", "accuracy"],
    )  # fmt: skip
    rows = list(reversed(result.mitigation))
    names = [f"{row.method.replace('_', ' ')}<br>{row.words} words" for row in rows]
    sides = (
        (
            "before",
            GREY,
            "circle-open",
            [(r.before, r.before_low, r.before_high, r.before_least, r.before_most) for r in rows],
        ),
        (
            "after",
            BLUE,
            "circle",
            [(r.after, r.after_low, r.after_high, r.after_least, r.after_most) for r in rows],
        ),
    )
    for name, colour, symbol, numbers in sides:
        values, lows, highs, _, _ = zip(*numbers, strict=True)
        figure.add_trace(
            go.Scatter(
                x=values, y=names, mode="markers", name=name,
                marker={"color": colour, "size": 10, "symbol": symbol, "line": {"width": 2, "color": colour}},
                error_x={
                    "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 3,
                    "array": [high - value for high, value in zip(highs, values, strict=True)],
                    "arrayminus": [value - low for low, value in zip(lows, values, strict=True)],
                },
                text=[_spread(*each) for each in numbers],
                hovertemplate="%{y}: %{x:.2f}%{text}<extra>" + name + "</extra>",
            ),
            row=1, col=1,
        )  # fmt: skip
    chance = [row.chance_after for row in rows]
    figure.add_trace(_marks(chance, names, "by chance, after", ORANGE, "line-ns-open"), row=1, col=1)
    for name, colour, symbol, rates in (
        ("task, before", GREY, "square-open", [row.accuracy_before for row in rows]),
        ("task, after", BLUE, "square", [row.accuracy_after for row in rows]),
        ("naming the group, before", GREY, "diamond-open", [row.naming_before for row in rows]),
        ("naming the group, after", BLUE, "diamond", [row.naming_after for row in rows]),
    ):
        if any(rate is not None for rate in rates):
            figure.add_trace(_marks(rates, names, name, colour, symbol), row=1, col=2)
    styled(figure, "Mitigation, judged on fresh pictures", height=230 + 40 * len(rows))
    figure.update_xaxes(rangemode="tozero", title_text="standard deviations", row=1, col=1)
    figure.update_xaxes(range=[-0.02, 1.02], tickformat=".0%", row=1, col=2)
    figure.update_layout(margin_t=96)
    figure.update_annotations(font_size=12)
    return figure


def _spread(value: float, low: float, high: float, least: float, most: float) -> str:
    """Interval and range over templates, for the pointer."""
    return f" ({low:.2f} to {high:.2f}), by template {least:.2f} to {most:.2f}"


def _marks(
    values: Sequence[float | None], names: Sequence[str], name: str, colour: str, symbol: str
) -> go.Scatter:
    return go.Scatter(
        x=list(values), y=list(names), mode="markers", name=name,
        marker={"color": colour, "size": 11, "symbol": symbol, "line": {"color": colour, "width": 2}},
        hovertemplate="%{y}: %{x:.2f}<extra>" + name + "</extra>",
    )  # fmt: skip


def published(result: BiasAuditResult) -> go.Figure:
    """Published figures, and this audit's own of the same groups."""
    figure = go.Figure()
    rows = [row for row in result.published if row.measure == "harm_rate"] or list(result.published)
    for i, (model, label) in enumerate(dict.fromkeys((row.model, row.label) for row in rows)):
        some = [row for row in rows if (row.model, row.label) == (model, label)]
        figure.add_trace(
            go.Scatter(
                x=[row.published for row in some], y=[row.group for row in some], mode="markers",
                name=f"{model}, {label}", text=[f"{row.source}. {row.differs}" for row in some],
                marker={"color": PALETTE[(i + 1) % len(PALETTE)], "size": 10, "symbol": "diamond-open"},
                hovertemplate="%{y}: %{x:.1%}<br>%{text}<extra></extra>",
            )
        )  # fmt: skip
    own = {row.group: row for row in rows}
    figure.add_trace(
        go.Scatter(
            x=[row.here for row in own.values()], y=list(own), mode="markers", name="this audit",
            marker={"color": BLUE, "size": 11},
            error_x={
                "type": "data", "symmetric": False, "color": BLUE,
                "array": [(row.here_high or row.here or 0) - (row.here or 0) for row in own.values()],
                "arrayminus": [(row.here or 0) - (row.here_low or row.here or 0) for row in own.values()],
            },
            text=[
                "" if row.here_least is None else f", by wording {row.here_least:.1%} to {row.here_most:.1%}"
                for row in own.values()
            ],
            hovertemplate="%{y}: %{x:.1%}%{text}<extra>this audit</extra>",
        )
    )  # fmt: skip
    styled(figure, "Beside published figures", 240 + 34 * len(own))
    figure.update_layout(title_subtitle_text="other prompts, classes and pictures than these: no like for like")
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    return figure
