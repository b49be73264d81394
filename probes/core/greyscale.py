"""Figures without colour: series of one subplot that are equally light get another symbol, dash or pattern.

Lightness is L* of CIELAB (0 black, 100 white) under D65, from linear sRGB: Y = 0.2126 R + 0.7152 G + 0.0722 B,
L* = 116 f(Y) - 16 (CIE 15:2004).
"""

from __future__ import annotations

import re
from typing import Any

import plotly.graph_objects as go

APART = 20.0
"""Units of L* from which two series are told apart by lightness alone."""
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "triangle-down", "cross", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
PATTERNS = ("", "/", ".", "x", "\\", "+", "-", "|")


def lightness(colour: str) -> float | None:
    """L* of a colour written as #rrggbb or rgb(r, g, b); None for others."""
    if re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    elif (found := re.fullmatch(r"rgba?\(([\d.]+),\s*([\d.]+),\s*([\d.]+).*\)", colour)) is not None:
        parts = [float(part) / 255 for part in found.groups()]
    else:
        return None
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return float(116 * y ** (1 / 3) - 16 if y > (6 / 29) ** 3 else y * (29 / 3) ** 3)


def told_apart(figure: go.Figure) -> go.Figure:
    """The figure, with another symbol, dash or pattern for each series that only its hue told from another."""
    seen: dict[tuple[str, str, str], list[tuple[str, float]]] = {}
    for trace in figure.data:
        look = _look(trace)
        if look is None:
            continue
        kind, form, light = look
        before = seen.setdefault((kind, trace.xaxis or "x", trace.yaxis or "y"), [])
        alike = {used for used, other in before if abs(light - other) < APART}
        if form in alike:
            form = next((free for free in _FORMS[kind] if free not in alike), form)
            _give(trace, kind, form)
        before.append((form, light))
    return figure


_FORMS = {"bar": PATTERNS, "marker": SYMBOLS, "line": DASHES}


def _look(trace: Any) -> tuple[str, str, float] | None:
    """What a series is drawn with, what tells it apart besides its colour, and its lightness."""
    if trace.type == "bar":
        kind, colour, form = "bar", trace.marker.color, trace.marker.pattern.shape or ""
    elif trace.type in ("scatter", "scattergl") and "markers" in (trace.mode or ""):
        kind, form = "marker", trace.marker.symbol or "circle"
        colour = trace.marker.color or trace.line.color
        if "lines" in trace.mode and (trace.line.dash or "solid") != "solid":
            form = f"{form} {trace.line.dash}"
    elif trace.type in ("scatter", "scattergl") and "lines" in (trace.mode or "lines"):
        kind, colour, form = "line", trace.line.color, trace.line.dash or "solid"
    else:
        return None
    light = lightness(colour) if isinstance(colour, str) and isinstance(form, str) else None
    return None if light is None else (kind, form, light)


def _give(trace: Any, kind: str, form: str) -> None:
    if kind == "bar":
        trace.marker.pattern = {"shape": form, "solidity": 0.25, "fillmode": "overlay"}
    elif kind == "marker":
        trace.marker.symbol = form
    else:
        trace.line.dash = form
