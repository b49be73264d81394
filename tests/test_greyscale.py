"""Every figure of every probe's example can be read without colour."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from probes import registry
from probes.attention_heads import steps
from probes.core.greyscale import lightness
from probes.core.probe import run
from tests.fakes import headed_backend

pytestmark = pytest.mark.slow
PROBES = registry.all_probes()
LEAST = 15.0
"""Units of L* between two series that nothing else tells apart."""


@pytest.fixture(scope="module", params=PROBES, ids=str)
def figures(request):
    """What is drawn of a probe's example."""
    probe = PROBES[request.param]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "phrases", lambda: tuple(f"a thing of kind {n}" for n in range(40)))
        return probe.figures(run(probe, probe.example(), headed_backend()).result)


def subplots(figure):
    """Series of each subplot."""
    found = {}
    for trace in figure.data:
        if trace.type in ("scatter", "scattergl", "bar"):
            found.setdefault((trace.xaxis, trace.yaxis), []).append(trace)
    return found.values()


def colour(trace):
    line = trace.line.color if trace.type != "bar" else None
    return trace.marker.color or line


def form(trace):
    """All but colour that tells a series from others."""
    if trace.type == "bar":
        return (trace.type, trace.marker.pattern.shape or "")
    lines = "lines" in (trace.mode or "lines")
    dash = (trace.line.dash or "solid", trace.line.width) if lines else None
    symbol = trace.marker.symbol or "circle" if "markers" in (trace.mode or "") else None
    return ("scatter", symbol if isinstance(symbol, str | None) else tuple(symbol), dash)


def test_series_of_a_subplot_differ_in_lightness_or_form(figures):
    for name, figure in figures.items():
        for traces in subplots(figure):
            for one, other in combinations(traces, 2):
                colours = [colour(one), colour(other)]
                if one.name == other.name or not all(isinstance(c, str) for c in colours):
                    continue
                apart = abs(lightness(colours[0]) - lightness(colours[1])) >= LEAST
                assert apart or form(one) != form(other), (name, one.name, other.name)


def test_points_of_one_series_in_several_colours_differ_in_place_or_carry_words(figures):
    for name, figure in figures.items():
        for traces in subplots(figure):
            for trace in traces:
                colours = trace.marker.color
                if colours is None or isinstance(colours, str) or len(set(colours)) < 2:
                    continue
                sides = {(c, x > 0) for c, x in zip(colours, trace.x, strict=True)}
                by_side = len(sides) == len(set(colours))
                row_each = trace.type == "bar" and len(set(trace.y)) == len(colours)
                assert by_side or row_each or "text" in (trace.mode or ""), (name, trace.name)


def test_cells_of_either_sign_say_which(figures):
    for name, figure in figures.items():
        for trace in figure.data:
            if trace.type != "heatmap" or not trace.zmin or trace.zmin >= 0:
                continue
            template, values = trace.texttemplate or "", np.asarray(trace.z, dtype=float)
            if "%{z" in template:
                continue
            assert "%{text}" in template, name
            shown = np.asarray(trace.text)
            dark = np.nan_to_num(values) < -0.5 * abs(trace.zmin)
            assert all(shown[dark]), name
