"""How every figure looks: one palette, one layout, for light and dark grounds.

Colours are Okabe and Ito's (2008), which people with the common colour-vision deficiencies can tell apart.
Grounds are transparent and the shell recolours text for dark pages, so a figure is drawn once.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from probes.core.greyscale import told_apart

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW, GREY = "#56B4E9", "#CC79A7", "#F0E442", "#808890"
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, YELLOW, GREY)

TEXT = "#30363d"
RULE = "rgba(128,136,144,0.25)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

DIVERGING = ((0.0, BLUE), (0.5, "#f2f2f2"), (1.0, VERMILION))
"""Colour scale for signed values, centred at zero by the caller. Its ends are equally dark: in print, `signs` or
numbers in the cells tell them apart."""
FAINT = 0.15
"""Share of the largest value below which a cell is too pale for its sign to matter."""

SURFACE = "#ffffff"
"""Behind an open menu; the app turns it dark with the page."""

SEQUENTIAL = "Cividis"
"""Colour scale for values from little to much; readable with colour-vision deficiencies and in print."""


def styled(figure: go.Figure, title: str, height: int = 420) -> go.Figure:
    """Give a figure the common look. Height in pixels; width follows the page."""
    figure.update_layout(
        title={"text": title, "x": 0.0, "xanchor": "left", "xref": "container", "font": {"size": 16}},
        height=height,
        autosize=True,
        margin={"l": 8, "r": 16, "t": 56, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 13, "color": TEXT},
        colorway=list(PALETTE),
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0, "x": 0},
        hoverlabel={"font": {"family": FONT}},
    )
    axes = {"gridcolor": RULE, "zerolinecolor": GREY, "automargin": True, "title": {"font": {"size": 13}}}
    figure.update_xaxes(axes)
    figure.update_yaxes(axes)
    return told_apart(figure)


def signs(values: NDArray[np.floating]) -> list[list[str]]:
    """Text for the cells of a diverging heatmap without numbers: a minus where it is clearly negative."""
    reach = float(np.nanmax(np.abs(values), initial=0.0))
    return [["−" if value < -FAINT * reach else "" for value in row] for row in np.nan_to_num(values).tolist()]


def shortened(text: str, longest: int = 28) -> str:
    """A label short enough for an axis, without markup; the full text belongs in the hover."""
    return escape(text if len(text) <= longest else text[: longest - 1] + "…", quote=False)


def whiskers(estimates: Sequence[tuple[float, float | None, float | None]]) -> dict[str, object]:
    """Error bars of values with the ends of their intervals, (value, low, high) each; none for an end of None."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if high is None else max(high - value, 0.0) for value, _, high in estimates],
        "arrayminus": [0.0 if low is None else max(value - low, 0.0) for value, low, _ in estimates],
        "thickness": 1.5,
    }
