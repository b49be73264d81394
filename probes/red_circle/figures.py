"""Figures of a result: effects against placebos, probabilities, what the tower sees, people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from probes.core.plotting import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, shortened, styled, whiskers
from probes.red_circle.accused import Accusation
from probes.red_circle.effects import DRAWN, FOVEAL, Effect
from probes.red_circle.map_figures import curves, sweep_map
from probes.red_circle.placebos import TOLD
from probes.red_circle.pointing_figures import picks, pointing
from probes.red_circle.result import RedCircleResult

ROWS = 20
"""Texts drawn, those that moved most beyond their placebos; the tables have all."""
SEEN = {
    "elsewhere": (GREY, "circle", 5, 0.5),
    "scattered": (SKY, "x", 5, 0.6),
    "colour": (GREEN, "square-open", 8, 0.9),
    "shape": (PURPLE, "triangle-up-open", 8, 0.9),
}
"""Colour, symbol, size and opacity of each kind of placebo."""


def figures(result: RedCircleResult) -> Mapping[str, go.Figure]:
    """Name -> figure, the main one first; only what was asked for."""
    drawn = {"effects": effects(result, DRAWN)}
    if result.sweep is not None:
        drawn["map"] = sweep_map(result)
    drawn["probabilities"] = probabilities(result)
    if result.looked:
        drawn["foveal"] = effects(result, FOVEAL)
    if result.curves:
        drawn["curves"] = curves(result)
    if result.picks:
        drawn["picks"] = picks(result)
    if result.pointing:
        drawn["pointing"] = pointing(result)
    if result.people:
        drawn["people"] = people(result)
    drawn["tower"] = tower(result)
    return drawn


def _strongest(result: RedCircleResult, prompt: str) -> list[tuple[int, Effect]]:
    """Places and effects of the texts drawn, in the order of the drawn marks."""
    order = sorted(enumerate(result.of(DRAWN)), key=lambda pair: -abs(pair[1].beyond.value))[:ROWS]
    of_prompt = result.of(prompt)
    return [(place, of_prompt[place]) for place, _ in order]


def effects(result: RedCircleResult, prompt: str) -> go.Figure:
    """Change of each text's logit by a visual prompt, and by its placebos."""
    rows = _strongest(result, prompt)
    figure = go.Figure()
    for kind, (colour, symbol, size, opacity) in SEEN.items():
        changes = np.array([one.changes for one in result.placebos if one.kind == kind and one.prompt == prompt])
        if not len(changes):
            continue
        what = [one.what for one in result.placebos if one.kind == kind and one.prompt == prompt]
        # Rows at whole numbers leave room to spread the placebos a little, so that they do not hide one another.
        spread = np.linspace(-0.3, 0.3, len(changes)) if len(changes) > 1 else np.zeros(1)
        figure.add_trace(
            go.Scatter(
                x=np.concatenate([changes[:, place] for place, _ in rows]),
                y=np.concatenate([y + spread for y in range(len(rows))]),
                text=what * len(rows),
                mode="markers",
                marker={"color": colour, "size": size, "opacity": opacity, "symbol": symbol},
                name=TOLD[kind] if prompt == DRAWN else "looking elsewhere",
                hovertemplate=f"{kind} (%{{text}}): %{{x:+.2f}}<extra></extra>",
            )
        )
    for name, colour, symbol, wanted in (
        ("beyond its placebos", VERMILION, "diamond", True),
        ("not clearly beyond them", ORANGE, "diamond-open", False),
    ):
        chosen = [(y, e) for y, (_, e) in enumerate(rows) if (e.beyond_place and e.beyond_ink) is wanted]
        if chosen:
            figure.add_trace(_diamonds(name, colour, symbol, chosen))
    title = "How far each logit moved" if prompt == DRAWN else "Foveal attention, no pixel changed"
    styled(figure, title, height=200 + 46 * len(rows))
    figure.update_xaxes(title_text="change against the unmarked picture", zeroline=True, zerolinewidth=2)
    return _labelled(figure, [effect.text for _, effect in rows])


def _diamonds(name: str, colour: str, symbol: str, rows: Sequence[tuple[int, Effect]]) -> go.Scatter:
    return go.Scatter(
        x=[effect.change.value for _, effect in rows],
        y=[y for y, _ in rows],
        text=[
            f"{shortened(e.text, 60)}<br>beyond placebos {e.beyond.describe()}<br>corrected p = {e.p_adjusted:.2g}"
            for _, e in rows
        ],
        mode="markers",
        marker={"color": colour, "size": 14, "symbol": symbol, "line": {"width": 2, "color": colour}},
        name=name,
        hovertemplate="%{text}<br>change %{x:+.2f}<extra></extra>",
    )


def probabilities(result: RedCircleResult) -> go.Figure:
    """Probability of each text without and with the marks, and under foveal attention."""
    rows = _strongest(result, DRAWN)
    bars = [
        ("unmarked", GREY, [effect.probability_unmarked for _, effect in rows]),
        ("marked", ORANGE, [effect.probability_marked for _, effect in rows]),
    ]
    if result.looked:
        bars.append((FOVEAL, SKY, [effect.probability_marked for _, effect in _strongest(result, FOVEAL)]))
    figure = go.Figure()
    for name, colour, values in bars:
        figure.add_trace(
            go.Bar(
                x=values,
                y=list(range(len(rows))),
                text=[f"{value:.0%}" for value in values],
                customdata=[shortened(effect.text, 60) for _, effect in rows],
                orientation="h",
                marker_color=colour,
                name=name,
                hovertemplate="%{customdata}: %{x:.1%}<extra>" + name + "</extra>",
            )
        )
    styled(figure, "Probability without and with the marks", height=170 + 22 * len(bars) * len(rows))
    figure.update_xaxes(range=[0, 1.08], tickformat=".0%")
    return _labelled(figure, [effect.text for _, effect in rows])


def tower(result: RedCircleResult) -> go.Figure:
    """What the image tower sees, without and with the marks."""
    figure = go.Figure()
    for place, raster in enumerate((result.unmarked, result.marked)):
        figure.add_layout_image(
            source=raster.uri, x=place, y=0, sizex=0.95, sizey=0.95, xref="x", yref="y",
            xanchor="left", yanchor="top", sizing="contain",
        )  # fmt: skip
    seen = f"{result.pixels_marked:.1%} of it changed" if result.pixels_marked else "no mark is left"
    styled(figure, f"What the tower sees: {seen}", height=320)
    figure.update_xaxes(visible=False, range=[0, 2])
    figure.update_yaxes(visible=False, range=[-1, 0], scaleanchor="x")
    return figure


def people(result: RedCircleResult) -> go.Figure:
    """A circle round a drawn person: labels that accuse, and labels that do not."""
    rows = sorted(result.people, key=lambda one: (not one.accusing, -one.beyond.value))
    figure = go.Figure()
    for name, colour, symbol, values in (
        ("another colour, same place", BLUE, "circle-open", [one.other_colour for one in rows]),
        ("the same circle elsewhere", GREY, "circle", [one.placebo_mean for one in rows]),
    ):
        figure.add_trace(
            go.Scatter(
                x=values, y=list(range(len(rows))), mode="markers", name=name,
                marker={"color": colour, "symbol": symbol, "size": 9},
                hovertemplate=f"{name}: %{{x:+.2f}}<extra></extra>",
            )
        )  # fmt: skip
    for name, colour, accusing in (("accusing", VERMILION, True), ("accusing nobody", GREEN, False)):
        chosen = [(y, one) for y, one in enumerate(rows) if one.accusing is accusing]
        if chosen:
            figure.add_trace(_people(name, colour, chosen))
    styled(figure, "A circle round a drawn person", height=200 + 34 * len(rows))
    figure.update_xaxes(title_text="change of the logit, mean over pictures", zeroline=True, zerolinewidth=2)
    return _labelled(figure, [one.text for one in rows])


def _people(name: str, colour: str, rows: Sequence[tuple[int, Accusation]]) -> go.Scatter:
    return go.Scatter(
        x=[one.change.value for _, one in rows],
        y=[y for y, _ in rows],
        error_x=whiskers([(one.change.value, *one.change.ends) for _, one in rows]),
        text=[f"beyond placebos {one.beyond.describe()}, corrected p = {one.p_adjusted:.2g}" for _, one in rows],
        mode="markers",
        marker={"color": colour, "symbol": "diamond", "size": 12},
        name=f"round the person, label {name}",
        hovertemplate="%{x:+.2f}<br>%{text}<extra></extra>",
    )


def _labelled(figure: go.Figure, texts: Sequence[str]) -> go.Figure:
    figure.update_yaxes(
        tickvals=list(range(len(texts))),
        ticktext=[shortened(text) for text in texts],
        range=[len(texts) - 0.5, -0.5],
        zeroline=False,
    )
    return figure
