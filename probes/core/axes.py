"""The same axes on figures that are to be compared by eye.

Figures of the same name, drawn from two results of one probe, mean the same by the same axis. Each of their axes
gets the union of their ranges, their colours the union of their scales, and rows that bear the same names stand in
the order of the first figure. What cannot be told from the figures themselves (axes that are hidden, locked to one
another or dates; traces that are binned or stacked) is left as it was drawn.

This reads Plotly's figures and knows no probe: ranges come from `axis.range`, or where there is none from the
coordinates of the traces with their error bars, widened by `MARGIN` as Plotly does of itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

MARGIN = 0.05
"""Share of the data's extent by which an axis without a range of its own goes beyond them."""

Span = tuple[float, float]
"""Least and largest."""


def shared(drawn: Sequence[Mapping[str, go.Figure]]) -> list[dict[str, go.Figure]]:
    """Copies of several results' figures in which those of the same name have the same axes."""
    copies = [{name: go.Figure(figure) for name, figure in figures.items()} for figures in drawn]
    for name in dict.fromkeys(name for figures in copies for name in figures):
        several = [figures[name] for figures in copies if name in figures]
        if len(several) > 1:
            align(several)
    return copies


def align(figures: Sequence[go.Figure]) -> None:
    """Give figures that mean the same the same axes, in place."""
    for letter in ("x", "y"):
        for short in sorted({getattr(trace, f"{letter}axis", None) or letter for trace in figures[0].data}):
            _align_axis(figures, letter, short)
    _align_colours(figures)


def _align_axis(figures: Sequence[go.Figure], letter: str, short: str) -> None:
    name = f"{letter}axis{short[1:]}"
    traces = [_on(figure, letter, short) for figure in figures]
    if not all(traces) or any(name not in figure.layout for figure in figures):  # some have fewer panels
        return
    axes = [figure.layout[name] for figure in figures]
    if any(axis.visible is False or axis.scaleanchor for axis in axes):
        return
    if all(_names(t, letter) for t in traces):
        _align_names(axes, [_names(t, letter) for t in traces])
        return
    for figure, axis, several in zip(figures[1:], axes[1:], traces[1:], strict=True):
        if not (figure.layout.shapes or figure.layout.annotations):
            _align_rows(axes[0], axis, several, letter)
    spans = [_span(figure, a, t, letter) for figure, a, t in zip(figures, axes, traces, strict=True)]
    known = [span for span in spans if span is not None]
    if len(known) < len(spans):
        return
    low, high = min(span[0] for span in known), max(span[1] for span in known)
    for axis in axes:
        backwards = axis.autorange == "reversed" or bool(axis.range and axis.range[0] > axis.range[1])
        axis.update(range=[high, low] if backwards else [low, high], autorange=False)


def _on(figure: go.Figure, letter: str, short: str) -> list[Any]:
    """The traces drawn against an axis."""
    return [
        t for t in figure.data if hasattr(t, letter) and (getattr(t, f"{letter}axis", None) or letter) == short
    ]


def _names(traces: Sequence[Any], letter: str) -> list[str]:
    """The names on an axis of names, in the order in which they appear; nothing if it has numbers."""
    values = [value for trace in traces for value in (() if trace[letter] is None else trace[letter])]
    return list(dict.fromkeys(values)) if values and all(isinstance(v, str) for v in values) else []


def _align_names(axes: Sequence[Any], names: Sequence[list[str]]) -> None:
    """Put the same names into the order of the first axis."""
    first = axes[0]
    order = [*first.categoryarray] if first.categoryarray is not None else names[0]
    for axis, own in zip(axes[1:], names[1:], strict=True):
        if set(own) == set(names[0]):
            axis.update(categoryorder="array", categoryarray=order, autorange=first.autorange)
            axis.update(tickvals=first.tickvals, ticktext=first.ticktext)


def _align_rows(first: Any, axis: Any, traces: Sequence[Any], letter: str) -> None:
    """Put rows at numbered places into the order of the first axis, if both name the same rows."""
    if first.ticktext is None or axis.ticktext is None or first.tickvals is None or axis.tickvals is None:
        return
    wanted, own = [*first.ticktext], [*axis.ticktext]
    places = np.asarray([*axis.tickvals], dtype=float)
    rows = {name: float(place) for name, place in zip(wanted, first.tickvals, strict=False)}
    if wanted == own or len(rows) < len(wanted) or sorted(wanted) != sorted(own) or len(own) != len(places):
        return
    for trace in traces:
        values = _numbers(trace[letter])
        if values is not None:
            nearest = np.abs(values[:, None] - places[None, :]).argmin(axis=1)
            moved = np.array([rows[own[i]] for i in nearest]) + values - places[nearest]
            trace[letter] = moved
    axis.update(tickvals=first.tickvals, ticktext=first.ticktext)


def _span(figure: go.Figure, axis: Any, traces: Sequence[Any], letter: str) -> Span | None:
    """What an axis goes over, in its own units (powers of ten on a logarithmic one); None if that is not known."""
    if axis.range is not None and None not in axis.range and axis.autorange in (None, False):
        return float(min(axis.range)), float(max(axis.range))
    if axis.type not in (None, "-", "linear", "log") or figure.layout.barmode in ("stack", "relative"):
        return None
    reaches = [_reach(trace, letter) for trace in traces]
    if any(reach is None for reach in reaches):
        return None
    values = np.concatenate([reach for reach in reaches if reach is not None])
    if axis.rangemode in ("tozero", "nonnegative"):
        values = np.append(values, 0.0)
    if axis.type == "log":
        values = np.log10(values[values > 0])
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    beyond = MARGIN * (high - low) or 0.5
    return low - beyond, high + beyond


def _reach(trace: Any, letter: str) -> NDArray[np.float64] | None:
    """The coordinates that a trace reaches on an axis; None where its kind does not tell."""
    values = _numbers(trace[letter])
    if values is None or trace.type not in ("scatter", "scattergl", "bar", "box", "violin"):
        return None
    if trace.type == "scatter" and trace.stackgroup:
        return None
    pieces = [values]
    bars = trace[f"error_{letter}"] if trace.type in ("scatter", "scattergl", "bar") else None
    if bars is not None and bars.array is not None:
        above = _numbers(bars.array)
        below = above if bars.arrayminus is None else _numbers(bars.arrayminus)
        pieces += [values + above, values - below] if above is not None and below is not None else []
    if trace.type == "bar":
        along = "x" if trace.orientation == "h" else "y"
        pieces += [np.zeros(1)] if letter == along else [values - 0.5, values + 0.5]
    return np.concatenate(pieces)


def _numbers(values: Any) -> NDArray[np.float64] | None:
    """Coordinates as numbers, gaps as not-a-number; None if they are anything else."""
    if values is None:
        return None
    given = [math.nan if value is None else value for value in values]
    if not all(isinstance(value, (int, float, np.number)) for value in given):
        return None
    return np.asarray(given, dtype=float)


def _align_colours(figures: Sequence[go.Figure]) -> None:
    """Give colours the union of their scales: traces at the same place, and axes of colour by name."""
    if len({len(figure.data) for figure in figures}) == 1:
        for traces in zip(*(figure.data for figure in figures), strict=True):
            if len({trace.type for trace in traces}) == 1:
                if all(hasattr(trace, "zmin") for trace in traces):
                    _same_scale(traces, [trace.z for trace in traces], "z")
                markers: list[Any] = [getattr(trace, "marker", None) for trace in traces]
                if all(hasattr(marker, "cmin") for marker in markers):
                    _same_scale(markers, [marker.color for marker in markers], "c")
    axes = [figure.layout.coloraxis for figure in figures]
    if all(axis.cmin is not None and axis.cmax is not None for axis in axes):
        _same_scale(axes, [()] * len(axes), "c")


def _same_scale(scales: Sequence[Any], coloured: Sequence[Any], letter: str) -> None:
    """Set least and largest of several scales of colour; one with a middle stays even about it."""
    spans = [_scale(scale, values, letter) for scale, values in zip(scales, coloured, strict=True)]
    known = [span for span in spans if span is not None]
    if not spans or len(known) < len(spans):
        return
    low, high = min(span[0] for span in known), max(span[1] for span in known)
    middle = scales[0][f"{letter}mid"]
    if middle is not None:
        reach = max(high - middle, middle - low)
        low, high = middle - reach, middle + reach
    for scale in scales:
        scale.update({f"{letter}min": low, f"{letter}max": high})


def _scale(scale: Any, values: Any, letter: str) -> Span | None:
    least, largest = scale[f"{letter}min"], scale[f"{letter}max"]
    if least is not None and largest is not None:
        return float(least), float(largest)
    if values is None or isinstance(values, str) or getattr(scale, "coloraxis", None):
        return None
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError):  # names of colours
        return None
    if not np.isfinite(numbers).any():
        return None
    return float(np.nanmin(numbers)), float(np.nanmax(numbers))
