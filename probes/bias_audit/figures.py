"""Figures of an audit: the forest, the pictures behind it, skew and sets of words; all of them by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from probes.bias_audit.audited import Measure
from probes.bias_audit.comparison_figures import mitigation, published
from probes.bias_audit.figure_parts import ROWS, menu, shown, tested, ticks, whiskers, word_axis
from probes.bias_audit.group_figures import cells, class_design, harm
from probes.bias_audit.result import BiasAuditResult, Pair, verdict
from probes.core.plotting import BLUE, GREY, PALETTE, VERMILION, shortened, styled

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


def forest(result: BiasAuditResult) -> go.Figure:
    """Difference of every word between the groups, with interval, wordings and verdict; a menu of groups."""
    names = [group.group for group in result.groups]
    groups = [result.foremost]
    if not result.differences and len(names) > 2:
        groups += [name for name in names if name != result.foremost]
    figure = go.Figure()
    owner: list[str] = []
    drawn = {group: shown(result.of_group(group)) for group in groups}
    axes = {group: word_axis([m.word for m in rows]) for group, rows in drawn.items()}
    for group, rows in drawn.items():
        traces = [
            _dots(some, legend, symbol, colour)
            for kind, (legend, symbol, colour) in LOOKS.items()
            if (some := [m for m in rows if verdict(m) == kind])
        ]
        traces += ticks(rows, result)
        figure.add_traces([trace.update(visible=group == groups[0]) for trace in traces])
        owner += [group] * len(traces)
    rows = drawn[groups[0]]
    styled(
        figure,
        f"{result.compared(groups[0])}: which words move",
        height=(170 if len(groups) == 1 else 210) + 22 * len(rows),
    )
    figure.update_yaxes(axes[groups[0]])
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    unit = "paired logit" if result.differences else "mean cosine"
    own = "group" if len(groups) > 1 else shortened(groups[0], 12)
    figure.update_xaxes(title_text=f"← {shortened(result.other, 12)} · {unit} · {own} →")
    if len(result.main) > len(rows):
        figure.update_layout(title_subtitle_text=f"the {len(rows)} words at either end of {len(result.main)}")
    if len(groups) > 1:
        figure.update_layout(margin_t=110, updatemenus=[menu([
            {
                "label": shortened(group), "method": "update",
                "args": [
                    {"visible": [one == group for one in owner]},
                    {
                        "title.text": f"{shortened(result.compared(group), 40)}: which words move",
                        **{f"yaxis.{key}": value for key, value in axes[group].items()},
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
        error_x=whiskers(rows),
        text=[tested(m) for m in rows],
        name=legend,
        hovertemplate="%{y}: %{x:+.3g}, %{text}<extra></extra>",
    )


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
            menu([
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
                    x=[m.value for m in rows], y=[m.word for m in rows], mode="markers+text",
                    error_x=whiskers(rows),
                    marker={"symbol": symbol, "size": 11, "color": [colours.get(m.group, GREY) for m in rows]},
                    text=[shortened(m.group, 12) for m in rows], textposition="top center", textfont={"size": 11},
                    customdata=[f"{m.group}, {tested(m)}" for m in rows], name=name,
                    visible=variant == variants[0], hovertemplate="%{y}: %{x:+.2f}, %{customdata}<extra></extra>",
                )
            )  # fmt: skip
        alone = ticks([m for kind, *_ in SKEWS for m in result.of(kind, variant) if m.word in place], result)
        figure.add_traces([trace.update(visible=variant == variants[0]) for trace in alone])
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
    figure.update_yaxes(word_axis(words))
    always = [True] * len(colours)
    figure.update_layout(
        title_subtitle_text="coloured by the group that attains it",
        margin_t=120,
        updatemenus=[
            menu([
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


def weat(result: BiasAuditResult) -> go.Figure:
    """Effect sizes of the two sets of words, on pictures and on texts."""
    rows = list(reversed(result.of("weat")))
    figure = go.Figure(
        go.Scatter(
            x=[m.value for m in rows], y=[m.variant for m in rows], mode="markers", error_x=whiskers(rows),
            marker={"color": BLUE, "size": 12, "symbol": "diamond"}, showlegend=False,
            text=["not tested" if m.p is None else f"one-tailed p = {m.p:.2g}, n = {m.n}" for m in rows],
            hovertemplate="%{y}: d = %{x:+.2f}, %{text}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_traces(ticks([m for m in rows if m.by_wording], result, "variant"))
    styled(figure, f"WEAT: {rows[0].group}, {shortened(rows[0].word, 48)}", height=170 + 44 * len(rows))
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title_text="effect size d (ddof 1), 95 % interval")
    return figure
