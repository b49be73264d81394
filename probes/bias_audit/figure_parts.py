"""What several figures of an audit have in common: rows of words, intervals, wordings, menus."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from probes.bias_audit.audited import Measure
from probes.bias_audit.result import BiasAuditResult
from probes.core.plotting import GREY, ORANGE, SURFACE, shortened

ROWS = 40
"""Words drawn: those at either end. The tables have all."""


def shown(measures: Sequence[Measure]) -> list[Measure]:
    """Rows sorted by value, the largest last; of many, those at either end."""
    ordered = sorted(measures, key=lambda m: m.value)
    return ordered if len(ordered) <= ROWS else [*ordered[: ROWS // 2], *ordered[-ROWS // 2 :]]


def ticks(rows: Sequence[Measure], result: BiasAuditResult, along: str = "word") -> list[go.Scatter]:
    """A tick for every wording alone, beside the words or groups; nothing where there is but one."""
    if not rows or not rows[0].by_wording:
        return []
    return [
        go.Scatter(
            x=[value for m in rows for value in m.by_wording],
            y=[getattr(m, along) for m in rows for _ in m.by_wording],
            text=[result.wording(m, place) for m in rows for place in range(len(m.by_wording))],
            mode="markers",
            marker={"color": ORANGE, "size": 8, "symbol": "line-ns-open", "line": {"width": 1.5}},
            name="each wording",
            hovertemplate="%{y}, “%{text}”: %{x:+.3g}<extra></extra>",
        )
    ]


def whiskers(rows: Sequence[Measure]) -> dict[str, object]:
    """Error bars from the intervals of measures."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if m.high is None else max(m.high - m.value, 0.0) for m in rows],
        "arrayminus": [0.0 if m.low is None else max(m.value - m.low, 0.0) for m in rows],
        "color": GREY,
        "thickness": 1.5,
        "width": 3,
    }


def tested(m: Measure) -> str:
    """The p-value and n of a measure, in words."""
    p = m.p if m.p_adjusted is None else m.p_adjusted
    return f"n = {m.n}" if p is None else f"corrected p = {p:.2g}, n = {m.n}"


def word_axis(words: Sequence[str]) -> dict[str, object]:
    """An axis with rows of words in the order given, from below."""
    return {
        "categoryorder": "array", "categoryarray": list(words), "tickvals": list(words),
        "ticktext": [shortened(word) for word in words], "range": [-0.7, len(words) - 0.3],
    }  # fmt: skip


def menu(buttons: Sequence[dict[str, object]], y: float = 1.0) -> dict[str, object]:
    """A menu at the upper left."""
    return {"buttons": list(buttons), "x": 0.0, "xanchor": "left", "y": y, "yanchor": "bottom", "bgcolor": SURFACE}
