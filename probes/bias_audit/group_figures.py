"""Figures by group: harm rates, what other classes do to them, and the cells of two attributes."""

from __future__ import annotations

import plotly.graph_objects as go

from probes.bias_audit.class_design import ADDED, Design
from probes.bias_audit.figure_parts import ROWS, menu, shown, tested, ticks, whiskers
from probes.bias_audit.intersections import Cell
from probes.bias_audit.result import BiasAuditResult
from probes.core.plotting import DIVERGING, GREY, PALETTE, shortened, styled


def harm(result: BiasAuditResult) -> go.Figure:
    """Harm rate of every group, all harm words together and one by one."""
    rates = [m for m in result.of("harm_rate", "") if m.group]
    figure = go.Figure()
    words = list(dict.fromkeys(m.word for m in rates))[:12]
    for i, word in enumerate(words):
        rows = [m for m in rates if m.word == word]
        figure.add_trace(
            go.Bar(
                y=[m.group for m in rows], x=[m.value for m in rows], orientation="h", error_x=whiskers(rows),
                name="any harm word" if word == "any" else shortened(word), marker_color=PALETTE[i % len(PALETTE)],
                text=[tested(m) for m in rows], textposition="none", visible=True if i == 0 else "legendonly",
                hovertemplate="%{y}: %{x:.1%}, %{text}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_traces(ticks([m for m in rates if m.word == words[0]], result, "group"))
    styled(figure, "Nearest class is a harm word: share", height=200 + 34 * len(result.groups))
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    return figure


def class_design(result: BiasAuditResult) -> go.Figure:
    """How every group's harm rate changes with a class added, or left out, beside each other."""
    figure = go.Figure()
    changes = list(dict.fromkeys((row.design, row.word) for row in result.design))[:ROWS]
    place = {change: i for i, change in enumerate(changes)}
    groups = [group.group for group in result.groups]
    for g, group in enumerate(groups):
        rows = [r for r in result.design if r.group == group and (r.design, r.word) in place]
        colour = PALETTE[g % len(PALETTE)]
        beside = (g - (len(groups) - 1) / 2) * 0.7 / len(groups)
        figure.add_trace(
            go.Scatter(
                x=[r.change for r in rows], y=[place[r.design, r.word] + beside for r in rows], mode="markers",
                name=shortened(group), marker={"color": colour, "size": 9}, customdata=[_moved(r) for r in rows],
                hovertemplate="%{customdata}<extra>" + shortened(group) + "</extra>",
                error_x={
                    "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 3,
                    "array": [max(r.high - r.change, 0.0) for r in rows],
                    "arrayminus": [max(r.change - r.low, 0.0) for r in rows],
                },
            )
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=[end for r in rows for end in (r.least, r.most)],
                y=[place[r.design, r.word] + beside for r in rows for _ in range(2)], mode="markers",
                marker={"color": GREY, "size": 11, "symbol": "line-ns-open", "line": {"width": 1.5}},
                name="ends over wordings", legendgroup="wordings", showlegend=g == 0,
                hoverinfo="skip",
            )
        )  # fmt: skip
    each = max(38, 13 * len(groups))
    styled(figure, "Where harm lands with other classes", height=200 + each * len(changes))
    names = [f"{'with' if design == ADDED else 'without'}<br>{shortened(word)}" for design, word in changes]
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.4, -0.6], zeroline=False
    )
    figure.update_xaxes(tickformat=".0%", title_text="change of the harm rate")
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    return figure


def _moved(row: Design) -> str:
    """A change in words."""
    return (
        f"{row.rate_before:.1%} to {row.rate_after:.1%}: {row.change:+.1%} ({row.low:+.1%} to {row.high:+.1%})<br>"
        f"by wording {row.least:+.1%} to {row.most:+.1%}; {row.from_harm} left harm words, {row.to_harm} came to "
        f"them, of {row.n}"
    )


def cells(result: BiasAuditResult) -> go.Figure:
    """Attribute by attribute, for a word at a time; cells too small to speak about are grey, with their size."""
    groups = [group.group for group in result.groups]
    others = list(dict.fromkeys(cell.second for cell in result.cells))
    by_word: dict[str, dict[tuple[str, str], Cell]] = {}
    for cell in result.cells:
        by_word.setdefault(cell.word, {})[cell.first, cell.second] = cell
    words = [m.word for m in reversed(shown(result.main)) if m.word in by_word]
    # The longer attribute goes down the figure: there is room for its names on a phone.
    wide = len(groups) > len(others)
    across, down = (others, groups) if wide else (groups, others)
    drawn = {word: [[by_word[word][(b, a) if wide else (a, b)] for a in across] for b in down] for word in words}
    grids = {word: [[cell.difference for cell in row] for row in rows] for word, rows in drawn.items()}
    said = {word: [[_cell(cell) for cell in row] for row in rows] for word, rows in drawn.items()}
    hover = {word: [[_cell_in_full(cell) for cell in row] for row in rows] for word, rows in drawn.items()}
    # Colours stop short of their strongest, so that dark text stays readable on all of them.
    reach = 1.4 * max((abs(v) for grid in grids.values() for row in grid for v in row if v is not None), default=1)
    first = words[0]
    figure = go.Figure(
        go.Heatmap(
            z=grids[first], x=across, y=down, text=said[first], customdata=hover[first],
            texttemplate="%{text}", colorscale=DIVERGING, reversescale=True, zmin=-reach, zmax=reach,
            textfont={"color": "#111"},
            xgap=2, ygap=2,
            colorbar={"thickness": 12, "title": {"text": "cosine,<br>less others’"}},
            hovertemplate="%{y}, %{x}: %{customdata}<extra></extra>", hoverongaps=True,
        )
    )  # fmt: skip
    title = f"Cells of {result.attribute} × {result.by}".replace("_", " ")
    styled(figure, title, 250 + 38 * len(down))
    figure.update_layout(
        plot_bgcolor="#b9bec4",
        title_subtitle_text="✓ clear · ↯ clear, but a wording turns it · grey: too few",
        margin_t=132,
        updatemenus=[
            menu([
                {
                    "label": shortened(word), "method": "restyle",
                    "args": [{"z": [grids[word]], "text": [said[word]], "customdata": [hover[word]]}],
                }
                for word in words
            ])
        ],
    )  # fmt: skip
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False, autorange="reversed")
    return figure


def _cell(cell: Cell) -> str:
    """What stands in a cell: how much it differs, its size, and whether it is clear."""
    mark = "" if not cell.clear else " ↯" if cell.flips else " ✓"
    value = "" if cell.difference is None else f"{cell.difference:+.3f}<br>"
    return f"{value}n = {cell.n}{mark}"


def _cell_in_full(cell: Cell) -> str:
    if cell.difference is None:
        return f"n = {cell.n}, too few to say anything"
    spread = "" if cell.least == cell.most else f"; by wording {cell.least:+.3f} to {cell.most:+.3f}"
    return (
        f"{cell.difference:+.3f} ({cell.low:+.3f} to {cell.high:+.3f}), corrected p = {cell.p_adjusted:.2g}, "
        f"n = {cell.n}{spread}"
    )
