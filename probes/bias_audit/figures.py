"""Figures of an audit: the forest, the pictures behind it, skew, harm, sets of words, cells, and mitigation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from probes.bias_audit.audited import Measure
from probes.bias_audit.class_design import ADDED, Design
from probes.bias_audit.comparison_figures import mitigation, published
from probes.bias_audit.intersections import Cell
from probes.bias_audit.result import BiasAuditResult, Pair, verdict
from probes.core.plotting import BLUE, DIVERGING, GREY, ORANGE, PALETTE, SURFACE, VERMILION, shortened, styled

ROWS = 40
"""Words drawn: those at either end. The tables have all."""
LOOKS = {
    "clear": ("clear", "circle", None),
    "flips": ("clear, but a wording turns its sign", "diamond-open", None),
    "not clear": ("not clear", "circle-open", GREY),
}
"""Legend, symbol and colour by verdict; None takes the colour of its side."""
ENDS = 3
SKEWS = (("max_skew", "triangle-right", "MaxSkew"), ("min_skew", "triangle-left", "MinSkew"))
"""Measure, symbol and legend."""


def figures(result: BiasAuditResult) -> Mapping[str, go.Figure]:
    """Name -> figure, the main one first; those of which nothing was measured are left out."""
    drawn = {"forest": forest(result)}
    if result.thumbnails:
        drawn["pictures"] = pictures(result)
    if result.of("max_skew"):
        drawn["skew"] = skew(result)
    if result.of("harm_rate"):
        drawn["harm"] = harm(result)
    if result.design:
        drawn["class_design"] = class_design(result)
    if result.of("weat"):
        drawn["weat"] = weat(result)
    if result.cells:
        drawn["intersections"] = cells(result)
    if result.mitigation:
        drawn["mitigation"] = mitigation(result)
    if result.published:
        drawn["published"] = published(result)
    return drawn


def shown(measures: Sequence[Measure]) -> list[Measure]:
    """Rows sorted by value, the largest last; of many, those at either end."""
    ordered = sorted(measures, key=lambda m: m.value)
    return ordered if len(ordered) <= ROWS else [*ordered[: ROWS // 2], *ordered[-ROWS // 2 :]]


def forest(result: BiasAuditResult) -> go.Figure:
    """Difference of every word between the groups, with interval, wordings and verdict; a menu of groups."""
    names = [group.group for group in result.groups]
    groups = [result.foremost]
    if not result.differences and len(names) > 2:
        groups += [name for name in names if name != result.foremost]
    figure = go.Figure()
    owner: list[str] = []
    drawn = {group: shown(result.of_group(group)) for group in groups}
    for group, rows in drawn.items():
        traces = [
            _dots(some, legend, symbol, colour)
            for kind, (legend, symbol, colour) in LOOKS.items()
            if (some := [m for m in rows if verdict(m) == kind])
        ]
        traces += _by_wording(rows, result)
        figure.add_traces([trace.update(visible=group == groups[0]) for trace in traces])
        owner += [group] * len(traces)
    rows = drawn[groups[0]]
    styled(
        figure,
        f"{result.compared(groups[0])}: which words move",
        height=(170 if len(groups) == 1 else 210) + 22 * len(rows),
    )
    figure.update_yaxes(_rows([m.word for m in rows]))
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    unit = "paired logit" if result.differences else "mean cosine"
    own = "group" if len(groups) > 1 else shortened(groups[0], 12)
    figure.update_xaxes(title_text=f"← {shortened(result.other, 12)} · {unit} · {own} →")
    if len(result.main) > len(rows):
        figure.update_layout(title_subtitle_text=f"the {len(rows)} words at either end of {len(result.main)}")
    if len(groups) > 1:
        figure.update_layout(margin_t=110, updatemenus=[_menu([
            {
                "label": shortened(group), "method": "update",
                "args": [
                    {"visible": [one == group for one in owner]},
                    {
                        "title.text": f"{shortened(result.compared(group), 40)}: which words move",
                        **{f"yaxis.{key}": value for key, value in _rows([m.word for m in drawn[group]]).items()},
                    },
                ],
            }
            for group in groups
        ])])  # fmt: skip
    return figure


def _dots(rows: Sequence[Measure], legend: str, symbol: str, colour: str | None) -> go.Scatter:
    colours = [colour or (BLUE if m.value > 0 else VERMILION) for m in rows]
    return go.Scatter(
        x=[m.value for m in rows],
        y=[m.word for m in rows],
        mode="markers",
        marker={"color": colours, "size": 10, "symbol": symbol, "line": {"color": colours, "width": 2}},
        error_x=_whiskers(rows),
        text=[_p(m) for m in rows],
        name=legend,
        hovertemplate="%{y}: %{x:+.3g}, %{text}<extra></extra>",
    )


def _by_wording(rows: Sequence[Measure], result: BiasAuditResult, along: str = "word") -> list[go.Scatter]:
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


def _whiskers(rows: Sequence[Measure]) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if m.high is None else max(m.high - m.value, 0.0) for m in rows],
        "arrayminus": [0.0 if m.low is None else max(m.value - m.low, 0.0) for m in rows],
        "color": GREY,
        "thickness": 1.5,
        "width": 3,
    }


def _p(m: Measure) -> str:
    p = m.p if m.p_adjusted is None else m.p_adjusted
    return f"n = {m.n}" if p is None else f"corrected p = {p:.2g}, n = {m.n}"


def _rows(words: Sequence[str]) -> dict[str, object]:
    """An axis with rows of words in the order given, from below."""
    return {
        "categoryorder": "array", "categoryarray": list(words), "tickvals": list(words),
        "ticktext": [shortened(word) for word in words], "range": [-0.7, len(words) - 0.3],
    }  # fmt: skip


def _menu(buttons: Sequence[dict[str, object]], y: float = 1.0) -> dict[str, object]:
    """A menu at the upper left."""
    return {"buttons": list(buttons), "x": 0.0, "xanchor": "left", "y": y, "yanchor": "bottom", "bgcolor": SURFACE}


def pictures(result: BiasAuditResult) -> go.Figure:
    """The pairs behind a word: those of its largest differences above, of its smallest below; a menu of words."""
    by_word: dict[str, list[Pair]] = {}
    for pair in result.behind:
        by_word.setdefault(pair.word, []).append(pair)
    order = [m.word for m in reversed(shown(result.main)) if m.word in by_word]
    layouts = {word: _laid(result, by_word[word]) for word in order}
    first, second = result.groups[0].group, result.groups[1].group
    figure = go.Figure(go.Scatter(x=[0], y=[0], mode="markers", marker={"opacity": 0}, hoverinfo="skip"))
    images, notes = layouts[order[0]]
    figure.update_layout(images=images, annotations=notes)
    styled(figure, f"Behind a word: left {shortened(first, 12)}, right {shortened(second, 12)}", height=390)
    figure.update_layout(
        showlegend=False,
        margin={"l": 8, "r": 8, "t": 110, "b": 8},
        updatemenus=[
            _menu([
                {"label": shortened(word), "method": "relayout", "args": [{"images": drawn, "annotations": told}]}
                for word, (drawn, told) in layouts.items()
            ], y=1.03)
        ],
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[0, 3 * 2.5], fixedrange=True)
    figure.update_yaxes(visible=False, range=[-2.9, 0.1], scaleanchor="x", fixedrange=True)
    return figure


def _laid(
    result: BiasAuditResult, pairs: Sequence[Pair]
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Thumbnails and captions of a word's pairs, three across."""
    images: list[dict[str, object]] = []
    notes: list[dict[str, object]] = []
    for i, pair in enumerate(pairs):
        across, down = (i % ENDS) * 2.5, -1.5 * (i // ENDS)
        for side, place in enumerate((pair.first, pair.second)):
            images.append(
                {
                    "source": result.thumbnails[place].uri, "x": across + 1.05 * side, "y": down, "sizex": 1,
                    "sizey": 1, "xref": "x", "yref": "y", "xanchor": "left", "yanchor": "top",
                }
            )  # fmt: skip
        notes.append(
            {
                "x": across + 1.02, "y": down - 1.03, "xref": "x", "yref": "y", "yanchor": "top",
                "showarrow": False, "text": f"{pair.difference:+.2f} logit",
                "hovertext": f"{pair.first_name} − {pair.second_name}",
            }
        )  # fmt: skip
    return images, notes


def skew(result: BiasAuditResult) -> go.Figure:
    """MaxSkew and MinSkew of every word; a menu of what the desired shares are."""
    figure = go.Figure()
    variants = ("demographic_parity", "equal_opportunity")
    order = sorted(result.of("max_skew", variants[0]), key=lambda m: m.value)[-ROWS:]
    words = [m.word for m in order]
    place = {word: i for i, word in enumerate(words)}
    colours = {group.group: PALETTE[i % len(PALETTE)] for i, group in enumerate(result.groups)}
    for variant in variants:
        for kind, symbol, name in SKEWS:
            rows = sorted((m for m in result.of(kind, variant) if m.word in place), key=lambda m: place[m.word])
            figure.add_trace(
                go.Scatter(
                    x=[m.value for m in rows], y=[m.word for m in rows], mode="markers", error_x=_whiskers(rows),
                    marker={"symbol": symbol, "size": 11, "color": [colours.get(m.group, GREY) for m in rows]},
                    text=[f"{m.group}, {_p(m)}" for m in rows], name=name, visible=variant == variants[0],
                    hovertemplate="%{y}: %{x:+.2f}, %{text}<extra></extra>",
                )
            )  # fmt: skip
        ticks = _by_wording([m for kind, *_ in SKEWS for m in result.of(kind, variant) if m.word in place], result)
        figure.add_traces([trace.update(visible=variant == variants[0]) for trace in ticks])
    count = len(figure.data) // 2
    for group, colour in colours.items():
        figure.add_trace(
            go.Scatter(
                x=[None], y=[None], mode="markers", name=shortened(group, 20),
                marker={"color": colour, "symbol": "square", "size": 11}, hoverinfo="skip",
            )
        )  # fmt: skip
    styled(
        figure,
        f"Skew in the {result.k} pictures nearest to a word",
        height=200 + 20 * max(len(words), 5) + 20 * len(colours),
    )
    figure.update_yaxes(_rows(words))
    always = [True] * len(colours)
    figure.update_layout(
        title_subtitle_text="coloured by the group that attains it",
        margin_t=120,
        updatemenus=[
            _menu([
                {
                    "label": variant.replace("_", " "), "method": "restyle",
                    "args": [{"visible": [own == variant for own in variants for _ in range(count)] + always}],
                }
                for variant in variants
            ])
        ],
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title_text="ln(share / desired share)")
    return figure


def harm(result: BiasAuditResult) -> go.Figure:
    """Harm rate of every group, all harm words together and one by one."""
    rates = [m for m in result.of("harm_rate", "") if m.group]
    figure = go.Figure()
    words = list(dict.fromkeys(m.word for m in rates))[:12]
    for i, word in enumerate(words):
        rows = [m for m in rates if m.word == word]
        figure.add_trace(
            go.Bar(
                y=[m.group for m in rows], x=[m.value for m in rows], orientation="h", error_x=_whiskers(rows),
                name="any harm word" if word == "any" else shortened(word), marker_color=PALETTE[i % len(PALETTE)],
                text=[_p(m) for m in rows], textposition="none", visible=True if i == 0 else "legendonly",
                hovertemplate="%{y}: %{x:.1%}, %{text}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_traces(_by_wording([m for m in rates if m.word == words[0]], result, "group"))
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


def weat(result: BiasAuditResult) -> go.Figure:
    """Effect sizes of the two sets of words, on pictures and on texts."""
    rows = list(reversed(result.of("weat")))
    figure = go.Figure(
        go.Scatter(
            x=[m.value for m in rows], y=[m.variant for m in rows], mode="markers", error_x=_whiskers(rows),
            marker={"color": BLUE, "size": 12, "symbol": "diamond"}, showlegend=False,
            text=["not tested" if m.p is None else f"one-tailed p = {m.p:.2g}, n = {m.n}" for m in rows],
            hovertemplate="%{y}: d = %{x:+.2f}, %{text}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_traces(_by_wording([m for m in rows if m.by_wording], result, "variant"))
    styled(figure, f"WEAT: {rows[0].group}, {shortened(rows[0].word, 48)}", height=170 + 44 * len(rows))
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title_text="effect size d (ddof 1), 95 % interval")
    return figure


def cells(result: BiasAuditResult) -> go.Figure:
    """Attribute by attribute, for a word at a time; cells too small to speak about are grey, with their size."""
    groups = [group.group for group in result.groups]
    others = list(dict.fromkeys(cell.second for cell in result.cells))
    by_word: dict[str, dict[tuple[str, str], Cell]] = {}
    for cell in result.cells:
        by_word.setdefault(cell.word, {})[cell.first, cell.second] = cell
    words = [m.word for m in reversed(shown(result.main)) if m.word in by_word]
    drawn = {word: [[by_word[word][group, other] for group in groups] for other in others] for word in words}
    grids = {word: [[cell.difference for cell in row] for row in rows] for word, rows in drawn.items()}
    said = {word: [[_cell(cell) for cell in row] for row in rows] for word, rows in drawn.items()}
    hover = {word: [[_cell_in_full(cell) for cell in row] for row in rows] for word, rows in drawn.items()}
    # Colours stop short of their strongest, so that dark text stays readable on all of them.
    reach = 1.4 * max((abs(v) for grid in grids.values() for row in grid for v in row if v is not None), default=1)
    first = words[0]
    figure = go.Figure(
        go.Heatmap(
            z=grids[first], x=groups, y=others, text=said[first], customdata=hover[first],
            texttemplate="%{text}", colorscale=DIVERGING, reversescale=True, zmin=-reach, zmax=reach,
            textfont={"color": "#111"},
            xgap=2, ygap=2,
            colorbar={"thickness": 12, "title": {"text": "cosine,<br>less others’"}},
            hovertemplate="%{y}, %{x}: %{customdata}<extra></extra>", hoverongaps=True,
        )
    )  # fmt: skip
    title = f"Cells of {result.attribute} × {result.by}".replace("_", " ")
    styled(figure, title, 250 + 38 * len(others))
    figure.update_layout(
        plot_bgcolor="#b9bec4",
        title_subtitle_text="✓ clear · ↯ clear, but a wording turns it · grey: too few",
        margin_t=132,
        updatemenus=[
            _menu([
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
    """What stands in a cell: its size, and whether it is clear."""
    mark = "" if not cell.clear else " ↯" if cell.flips else " ✓"
    return f"n = {cell.n}{mark}"


def _cell_in_full(cell: Cell) -> str:
    if cell.difference is None:
        return f"n = {cell.n}, too few to say anything"
    spread = "" if cell.least == cell.most else f"; by wording {cell.least:+.3f} to {cell.most:+.3f}"
    return (
        f"{cell.difference:+.3f} ({cell.low:+.3f} to {cell.high:+.3f}), corrected p = {cell.p_adjusted:.2g}, "
        f"n = {cell.n}{spread}"
    )
