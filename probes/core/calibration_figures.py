"""Figures of calibrations: planted dose against what was measured, the skewed model beside the balanced one."""

from __future__ import annotations

import plotly.graph_objects as go

from probes.core.calibration import Calibration, OnModel
from probes.core.plotting import BLUE, GREY, VERMILION, styled


def figure(read: Calibration) -> go.Figure:
    """Dose in the skewed world against what was measured on either model, same axes, with 95 % intervals."""
    doses = [reading.dose for reading in read.skewed.readings]
    sides = ((read.skewed, "skewed", VERMILION), (read.balanced, "balanced", BLUE))
    figure = go.Figure().set_subplots(
        cols=2,
        shared_yaxes=True,
        horizontal_spacing=0.04,
        subplot_titles=[f"{name}: rho {side.order.rho:.2f}".replace("-", "−") for side, name, _ in sides],
    )
    for column, (side, name, colour) in enumerate(sides, 1):
        figure.add_trace(_points(side, doses, name, colour), row=1, col=column)
    rate = 100 * read.false_positives.value
    styled(figure, f"{read.title}: planted and measured; false positives {rate:.1f} % at 5 %", height=400)
    figure.update_layout(showlegend=False, margin={"t": 84})
    figure.update_xaxes(title_text="dose planted in the skewed world", range=[-0.03, 1.03], tickformat=".0%")
    figure.update_yaxes(zeroline=True, zerolinewidth=2)
    figure.update_yaxes(title_text="measured (change of log-odds)", col=1)
    return figure


def _points(side: OnModel, doses: list[float], name: str, colour: str) -> go.Scatter:
    readings = side.readings
    return go.Scatter(
        x=doses,
        y=[reading.measured for reading in readings],
        text=[reading.concept for reading in readings],
        customdata=[(reading.low, reading.high, reading.n, reading.dose) for reading in readings],
        mode="markers",
        marker={"color": colour, "size": 9, "line": {"width": 1, "color": "white"}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [reading.high - reading.measured for reading in readings],
            "arrayminus": [reading.measured - reading.low for reading in readings],
            "color": GREY,
            "thickness": 1.2,
            "width": 0,
        },
        name=name,
        hovertemplate="%{text}<br>dose here %{customdata[3]:.0%}<br>measured %{y:+.2f} "
        "(%{customdata[0]:+.2f} to %{customdata[1]:+.2f}, n = %{customdata[2]} scenes)<extra></extra>",
    )
