"""Figures of a modality gap: both clouds, the measures against chance, and what moving the clouds does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from probes.core.plotting import BLUE, GREEN, GREY, ORANGE, PURPLE, RULE, VERMILION, shortened, styled
from probes.modality_gap.path import CAPTIONS, OTHER, OWN, PICTURES
from probes.modality_gap.result import ModalityGapResult
from probes.modality_gap.training_figures import growth, moments

MEASURES = {
    "gap": "Gap",
    "paired_distance": "Distance of a pair",
    "rmg": "Relative gap (RMG)",
    "cosine_matched": "Cosine, matched",
    "cosine_unmatched": "Cosine, unmatched",
    "cosine_image_image": "Cosine, picture and picture",
    "cosine_text_text": "Cosine, caption and caption",
    "separability": "Separability",
    "separability_gap_direction": "… by the gap direction alone",
    "r1_image_to_text": "R@1, picture to caption",
    "r1_text_to_image": "R@1, caption to picture",
    "zero_shot": "Zero-shot accuracy",
}
"""Measures that share a scale, from 0 to 2, and what they are called; the table has all."""
CHANCE = {"separability": 0.5, "separability_gap_direction": 0.5}
TOP = 16
"""Dimensions drawn."""


def figures(result: ModalityGapResult) -> Mapping[str, go.Figure]:
    """Name -> figure, the main one first."""
    found = {
        "clouds": clouds(result),
        "measures": measures(result),
        "shift": shift(result),
        "interventions": interventions(result),
        "dimensions": dimensions(result),
        "path": path(result),
        "temperature": temperature(result),
    }
    if len(result.training) > 1:
        found["moments"] = moments(result)
    if any(moment.row.pictures_seen is not None for moment in result.training):
        found["training"] = growth(result)
    return found


def clouds(result: ModalityGapResult) -> go.Figure:
    """Both clouds along the first two principal components."""
    view = result.cloud.views["pca"]
    points = view.points - view.centre
    n = len(points) // 2
    captions = result.cloud.captions
    figure = go.Figure()
    for name, colour, symbol, part in (
        ("pictures", BLUE, "circle", points[:n]), ("captions", ORANGE, "diamond", points[n:])
    ):  # fmt: skip
        figure.add_trace(
            go.Scattergl(
                x=part[:, 0], y=part[:, 1], mode="markers", name=name,
                marker={"color": colour, "symbol": symbol, "size": 6 if n <= 1000 else 4, "opacity": 0.7},
                text=None if captions is None else [shortened(text, 80) for text in captions],
                hovertemplate="%{text}<extra></extra>" if captions is not None else None,
            )
        )  # fmt: skip
    one, two = view.shares[0], view.shares[1]
    figure.update_xaxes(title_text=f"1st component ({one:.0%} of the variance)")
    figure.update_yaxes(title_text=f"2nd component ({two:.0%})", scaleanchor="x")
    return styled(figure, f"Pictures and captions in one space ({n:,} pairs)", 460)


def measures(result: ModalityGapResult) -> go.Figure:
    """Measures with intervals, what chance gives, and the same with random weights."""
    rows = [one for name in MEASURES for one in result.measures if one.measure == name]
    names = [MEASURES[row.measure] for row in rows]
    figure = go.Figure()
    nulls = {null.measure: null for null in result.nulls}
    for row, name in zip(rows, names, strict=True):
        null = nulls.get(row.measure)
        low, high = (null.null_low, null.null_high) if null else (CHANCE.get(row.measure),) * 2
        if low is not None and high is not None:
            figure.add_trace(
                go.Scatter(
                    x=[low, high], y=[name, name], mode="lines+markers", showlegend=False,
                    line={"color": GREY, "width": 8}, marker={"color": GREY, "size": 8}, opacity=0.5,
                    hovertemplate="by chance: %{x:.3f}<extra></extra>",
                )
            )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[row.value for row in rows], y=names, mode="markers", name="this model",
            marker={"color": BLUE, "size": 10},
            error_x={
                "type": "data", "symmetric": False, "color": BLUE,
                "array": [0 if row.high is None else row.high - row.value for row in rows],
                "arrayminus": [0 if row.low is None else row.value - row.low for row in rows],
            },
            customdata=[row.n for row in rows],
            hovertemplate="%{y}: %{x:.3f} (n = %{customdata:,})<extra></extra>",
        )
    )  # fmt: skip
    _untrained(figure, result)
    figure.add_trace(
        go.Scatter(
            x=[None], y=[names[0]], mode="lines", name="by chance", line={"color": GREY, "width": 8}, opacity=0.5
        )
    )
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1])
    return styled(figure, "Measures and chance", 520)


def _untrained(figure: go.Figure, result: ModalityGapResult) -> None:
    """Mark what the same architecture gives with random weights."""
    moment = next((one.row for one in result.training if one.row.moment == "random weights"), None)
    if moment is None:
        return
    known = [name for name in MEASURES if hasattr(moment, name)]
    figure.add_trace(
        go.Scatter(
            x=[getattr(moment, name) for name in known], y=[MEASURES[name] for name in known], mode="markers",
            name="random weights",
            marker={"color": VERMILION, "size": 10, "symbol": "diamond-open", "line": {"width": 2}},
            hovertemplate="random weights, %{y}: %{x:.3f}<extra></extra>",
        )
    )  # fmt: skip


def shift(result: ModalityGapResult) -> go.Figure:
    """What moves with the clouds: gap, losses, retrieval, and what else is followed."""
    deltas = [step.delta for step in result.shifts]
    at = {key: [getattr(step.moved, key) for step in result.shifts] for key in vars(result.shifts[0].moved)}
    lines = [line for line in _lines(result) if at[line[1]][0] is not None]
    panels = list(dict.fromkeys(panel for panel, *_ in lines))
    figure = go.Figure().set_subplots(
        rows=-(-len(panels) // 2), cols=2, vertical_spacing=0.14, horizontal_spacing=0.12, subplot_titles=panels
    )
    for panel, key, name, colour, dash in lines:
        place = panels.index(panel)
        figure.add_trace(
            go.Scatter(
                x=deltas, y=at[key], mode="lines", name=name, line={"color": colour, "dash": dash, "width": 2.5},
                showlegend=panel == "R@1",
                hovertemplate=f"{name} at %{{x:.2f}}: %{{y:.3f}}<extra></extra>",
            ),
            row=place // 2 + 1, col=place % 2 + 1,
        )  # fmt: skip
    if "association" in panels:  # an effect size lies between -2 and 2
        place = panels.index("association")
        figure.update_yaxes(range=[-2.2, 2.2], row=place // 2 + 1, col=place % 2 + 1)
    figure.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="δ: apart ← → together", row=-(-len(panels) // 2))
    figure = styled(figure, "Both clouds moved along the gap", 680)
    return figure.update_layout(margin={"t": 84, "b": 90})


def _lines(result: ModalityGapResult) -> list[tuple[str, str, str, str, str]]:
    """Panel, what is drawn in it, its name, its colour and its dash."""
    own = "sigmoid loss" if result.sigmoid else f"loss at scale {result.logit_scale:.3g}"
    return [
        ("gap", "gap", "gap", BLUE, "solid"),
        (own, "loss", own, BLUE, "solid"),
        ("loss at scale 1", "loss_scale_1", "loss at scale 1", BLUE, "solid"),
        ("R@1", "r1_image_to_text", "picture to caption", BLUE, "solid"),
        ("R@1", "r1_text_to_image", "caption to picture", ORANGE, "dash"),
        ("zero-shot", "zero_shot", "zero-shot accuracy", GREEN, "solid"),
        ("association", "association", "association (effect size)", PURPLE, "solid"),
    ]


SHORT = {
    "none": "as it is",
    "both": "both moved",
    "images": "pictures moved",
    "texts": "captions moved",
    "centred": "each centred",
}
"""Interventions in few letters; others drop dimensions."""


LESS_TO_MORE = [[0, "#9ecbea"], [0.5, "#f2f2f2"], [1, "#f5c969"]]
"""Blue over grey to orange, light enough for dark numbers by day and by night."""


def interventions(result: ModalityGapResult) -> go.Figure:
    """What else can be done to the clouds, and what it does to each thing that is followed."""
    columns = [
        ("gap", "gap", ".2f"),
        ("loss", "loss", ".2f"),
        ("loss_scale_1", "loss,<br>scale 1", ".2f"),
        ("r1_image_to_text", "R@1<br>→", ".0%"),
        ("r1_text_to_image", "R@1<br>←", ".0%"),
        ("zero_shot", "zero-<br>shot", ".0%"),
        ("association", "asso-<br>ciation", "+.2f"),
    ]
    columns = [c for c in columns if getattr(result.interventions[0].moved, c[0]) is not None]
    names = [SHORT.get(one.key, one.key.replace("drop_", "top dropped: ")) for one in result.interventions]
    values = [[getattr(one.moved, key) for key, _, _ in columns] for one in result.interventions]
    text = [[f"{value:{form}}" for value, (_, _, form) in zip(row, columns, strict=True)] for row in values]
    change = [[_relative(value, before) for value, before in zip(row, values[0], strict=True)] for row in values]
    titles = [one.title for one in result.interventions]
    figure = go.Figure(
        go.Heatmap(
            z=change, x=[title for _, title, _ in columns], y=names, text=text, texttemplate="%{text}", zmin=-1,
            zmax=1, colorscale=LESS_TO_MORE, showscale=False, xgap=2,
            ygap=2, textfont={"size": 11}, customdata=[[title] * len(columns) for title in titles],
            hovertemplate="%{customdata}, %{x}: %{text}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", tickfont={"size": 11}, showgrid=False)
    figure.update_xaxes(side="top", tickangle=0, tickfont={"size": 10}, showgrid=False)
    figure = styled(figure, "Other things done to the clouds", 440)
    return figure.update_layout(margin={"t": 96})


def _relative(value: float, before: float) -> float:
    """A change as a share of what was there before, from -1 (blue) to 1 (orange)."""
    return float(np.clip((value - before) / max(abs(before), 1e-3), -1, 1))


def dimensions(result: ModalityGapResult) -> go.Figure:
    """The share of the squared gap that single dimensions hold, largest first."""
    rows = result.dimensions[:TOP]
    # by rank and not by number, so that two models can be drawn to one axis
    x = list(range(1, len(rows) + 1))
    numbers = [row.dimension for row in rows]
    figure = go.Figure(
        go.Bar(
            x=x, y=[row.share for row in rows], marker={"color": BLUE}, name="share", customdata=numbers,
            hovertemplate="dimension %{customdata}: %{y:.1%} of the gap<extra></extra>",
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=x, y=np.cumsum([row.share for row in rows]), mode="lines+markers",
            line={"color": ORANGE}, name="together with those before",
            hovertemplate="the first %{x}: %{y:.1%}<extra></extra>",
        )
    )  # fmt: skip
    even = 1 / len(result.dimensions)
    figure.add_hline(y=even, line={"color": GREY, "dash": "dot"})
    told = f"rank (of {len(result.dimensions):,} dimensions; dotted: all alike)"
    figure.update_xaxes(title_text=told, dtick=5, tick0=0)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    half = int(np.searchsorted(np.cumsum([row.share for row in result.dimensions]), 0.5)) + 1
    count = "One dimension holds" if half == 1 else f"{half} dimensions hold"
    return styled(figure, f"{count} half of the squared gap", 380)


PATHS = {OWN: (VERMILION, "solid"), OTHER: (PURPLE, "dash"), PICTURES: (BLUE, "dot"), CAPTIONS: (ORANGE, "dot")}


def path(result: ModalityGapResult) -> go.Figure:
    """How near the nearest other thing is along the way, and how the points there spread."""
    figure = go.Figure().set_subplots(
        rows=2, cols=1, vertical_spacing=0.14, shared_xaxes=True,
        subplot_titles=("cosine with the nearest other", "uniformity (lower: more spread)"),
    )  # fmt: skip
    for kind, (colour, dash) in PATHS.items():
        steps = [step for step in result.path if step.path == kind]
        t = [step.t for step in steps]
        figure.add_trace(
            go.Scatter(
                x=t, y=[step.nearest for step in steps], name=kind,
                line={"color": colour, "dash": dash, "width": 2.5},
                error_y={
                    "type": "data", "symmetric": False, "color": colour, "thickness": 1,
                    "array": [step.high - step.nearest for step in steps],
                    "arrayminus": [step.nearest - step.low for step in steps],
                },
                hovertemplate=f"{kind}, %{{x:.0%}} of the way: %{{y:.3f}}<extra></extra>",
            ),
            row=1, col=1,
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=t, y=[step.uniformity for step in steps], name=kind, showlegend=False,
                line={"color": colour, "dash": dash, "width": 2.5},
                hovertemplate=f"{kind}, %{{x:.0%}} of the way: %{{y:.2f}}<extra></extra>",
            ),
            row=2, col=1,
        )  # fmt: skip
    figure.update_xaxes(title_text="share of the way", tickformat=".0%", row=2)
    figure = styled(figure, "Ways through the space", 620)
    return figure.update_layout(margin={"t": 84, "b": 120})


def temperature(result: ModalityGapResult) -> go.Figure:
    """Where along the shift the loss is least, at several logit scales."""
    rows = result.temperatures
    figure = go.Figure(
        go.Scatter(
            x=[row.logit_scale for row in rows], y=[row.delta_of_least_loss for row in rows], mode="lines+markers",
            line={"color": BLUE}, marker={"size": 10},
            customdata=[[row.least_loss, row.loss_unmoved] for row in rows],
            hovertemplate="scale %{x:.3g}: least at δ = %{y:.1f} (loss %{customdata[0]:.3f}, unmoved "
            "%{customdata[1]:.3f})<extra></extra>",
        )
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "dash": "dot"})
    figure.add_vline(x=result.logit_scale, line={"color": RULE, "width": 2})
    figure.update_xaxes(type="log", title_text="logit scale (line: the one used above)")
    figure.update_yaxes(title_text="δ of the least loss", range=[-1.1, 1.1])
    return styled(figure, "Best shift at each logit scale", 380)
