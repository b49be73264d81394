"""Figures of the gap before, during and after training."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from probes.core.plotting import BLUE, GREEN, GREY, ORANGE, VERMILION, styled
from probes.modality_gap.result import ModalityGapResult, Moment

COLUMNS = 3
HEIGHT = 200
"""Pixels of a row of small clouds."""


def moments(result: ModalityGapResult) -> go.Figure:
    """Both clouds at every moment, along their own gap and beside it, all to the same axes."""
    shown = result.training
    columns = min(COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = go.Figure().set_subplots(
        rows=rows, cols=columns, shared_xaxes="all", shared_yaxes="all", horizontal_spacing=0.03,
        vertical_spacing=0.24 / rows, subplot_titles=[_title(moment) for moment in shown],
    )  # fmt: skip
    for place, moment in enumerate(shown):
        n = len(moment.points) // 2
        for name, colour, symbol, part in (
            ("pictures", BLUE, "circle", moment.points[:n]), ("captions", ORANGE, "diamond", moment.points[n:])
        ):  # fmt: skip
            figure.add_trace(
                go.Scattergl(
                    x=part[:, 0], y=part[:, 1], mode="markers", name=name, showlegend=place == 0, legendgroup=name,
                    marker={"color": colour, "symbol": symbol, "size": 3, "opacity": 0.6}, hoverinfo="skip",
                ),
                row=place // columns + 1, col=place % columns + 1,
            )  # fmt: skip
    figure.update_xaxes(range=[-1.02, 1.02], showticklabels=False)
    figure.update_yaxes(range=[-1.02, 1.02], showticklabels=False)
    figure.update_annotations(font={"size": 11})
    title = "The pairs as training went on"
    figure = styled(figure, title, 90 + HEIGHT * rows)
    return figure.update_layout(margin={"t": 84}, legend={"itemsizing": "constant"})


def _title(moment: Moment) -> str:
    return f"{moment.row.moment}<br>gap {moment.row.gap:.2f}"


def growth(result: ModalityGapResult) -> go.Figure:
    """The gap and the cosines over the pictures seen in training; the last point is the model itself."""
    seen = [moment.row for moment in result.training if moment.row.pictures_seen is not None]
    now = next(moment.row for moment in result.training if moment.row.moment == "this model")
    figure = go.Figure().set_subplots(
        rows=2, cols=1, vertical_spacing=0.14, shared_xaxes=True, subplot_titles=("gap", "mean cosine and R@1")
    )
    # a gap in the line: the moments are of the stage that both bundled models share
    above = [*((row.gap_high or row.gap) - row.gap for row in seen), 0, (now.gap_high or now.gap) - now.gap]
    below = [*(row.gap - (row.gap_low or row.gap) for row in seen), 0, now.gap - (now.gap_low or now.gap)]
    x = [max(row.pictures_seen or 0, FIRST) for row in seen]
    figure.add_trace(
        go.Scatter(
            x=[*x, None, END], y=[*(row.gap for row in seen), None, now.gap], mode="lines+markers",
            name="gap",
            line={"color": BLUE},
            error_y={
                "type": "data", "symmetric": False, "thickness": 1,
                "array": above,
                "arrayminus": below,
            },
        ),
        row=1, col=1,
    )  # fmt: skip
    for key, name, colour, dash in (
        ("cosine_image_image", "picture and picture", BLUE, "dot"),
        ("cosine_text_text", "caption and caption", ORANGE, "dot"),
        ("cosine_matched", "matched", GREEN, "solid"),
        ("cosine_unmatched", "unmatched", GREY, "solid"),
        ("r1_image_to_text", "R@1, picture to caption", VERMILION, "dash"),
    ):
        figure.add_trace(
            go.Scatter(
                x=[*x, None, END], y=[*(getattr(row, key) for row in seen), None, getattr(now, key)],
                mode="lines+markers", name=name,
                line={"color": colour, "dash": dash},
            ),
            row=2, col=1,
        )  # fmt: skip
    figure.update_xaxes(type="log")
    figure.update_xaxes(title_text="pictures seen (first: none; last: this model)", row=2)
    figure.update_traces(hovertemplate="%{y:.3f} after %{x:,} pictures<extra>%{fullData.name}</extra>")
    return styled(figure, "The gap as training went on", 640).update_layout(margin={"t": 84, "b": 150})


FIRST = 1_600
"""Where zero pictures stand on an axis of logarithms."""
END = 720_000
"""Pictures that the finished bundled models saw."""
