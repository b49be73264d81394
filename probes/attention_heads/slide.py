"""A report as one picture fit for a slide: what the tower sees, and what every head and MLP adds, layer by layer.

Where cells are wide enough each bears its number; in larger towers a square's area is the size of the effect,
filled where it is positive and open where it is negative. Both are read without colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.attention_heads.result import AttentionHeadsResult
from probes.core import lettering
from probes.core.card import Card
from probes.core.report import Report
from probes.core.slides import FIRST, INK, PAPER, QUIET, RULE, SECOND, SMALL, Area, Colour, Slide, raster

VIEW = 440
"""Pixels of the column with the tower's view."""
LINE = lettering.line_height(SMALL)
WRITTEN = round(lettering.length("+0.000", SMALL)) + 8
"""Pixels that a number takes in a cell."""
DARK = 0.55
"""Share of the largest effect from which on a cell's number is white."""
TALLEST = 96
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Where the cells of (rows, columns) lie."""

    area: Area
    rows: int
    columns: int

    def cell(self, row: int, column: int) -> Area:
        """A cell; cells touch and never overlap."""
        area = self.area
        xs = [area.left + area.width * place // self.columns for place in (column, column + 1)]
        ys = [area.top + area.height * place // self.rows for place in (row, row + 1)]
        return Area(xs[0], ys[0], xs[1], ys[1])

    @property
    def holds_numbers(self) -> bool:
        """Whether every cell has room for a number."""
        return self.area.width // self.columns >= WRITTEN and self.area.height // self.rows >= LINE


def slide(card: Card, report: Report[AttentionHeadsResult]) -> bytes:
    """The picture, PNG."""
    result, page = report.result, Slide(card, report)
    left, right = page.area.columns(min(VIEW, page.area.height - 3 * LINE))
    page.picture(raster(result.view), left, "what the tower sees")
    lead = result.leading
    told = f"framed: {lead.name}, which strays farthest from its average"
    page.paragraph(left.below(LINE + left.width + 8), told, (SMALL,))
    _grid(page, right, result)
    return page.png()


def values(result: AttentionHeadsResult) -> Float64:
    """Effects in cosine, (layers, heads + 1): the last column holds MLPs, not-a-number where a layer has none."""
    effects = result.effects
    mlps = np.full(len(effects.contrast), np.nan)
    mlps[: effects.mlps.shape[1]] = effects.mlps[0] - effects.mlps[1]
    return np.column_stack([effects.contrast, mlps])


def _grid(page: Slide, area: Area, result: AttentionHeadsResult) -> None:
    table = values(result)
    rows, columns = table.shape
    beside = round(lettering.length(f"L{rows - 1}", SMALL)) + 14
    room = Area(area.left + beside, area.top + LINE + 4, area.right, area.bottom - LINE - 8)
    grid = Grid(Area(room.left, room.top, room.right, min(room.bottom, room.top + TALLEST * rows)), rows, columns)
    _names(page, grid, area.left)
    reach = float(np.nanmax(np.abs(table))) or 1.0
    for (row, column), value in np.ndenumerate(table):
        if np.isfinite(value):
            _cell(page, grid, grid.cell(row, column), float(value), float(value) / reach)
    lead = result.leading
    framed = grid.cell(lead.layer, lead.head)
    page.pen.rectangle((framed.left, framed.top, framed.right, framed.bottom), None, INK, 5)
    how = "numbers" if grid.holds_numbers else f"filled: adds, open: takes away, largest {reach:.3f};"
    rest = sum(one.effect for one in result.effects.rest)
    end = f"{how} in cosine; with {rest:+.3f} of the rest they sum to {result.effects.check.sum_of_terms:+.3f}"
    page.text(area.left, grid.area.bottom + 8, lettering.fitted(end, area.width, SMALL))


def _names(page: Slide, grid: Grid, left: int) -> None:
    """Layers beside the grid and heads above it, as many as have room."""
    height, width = grid.area.height / grid.rows, grid.area.width / grid.columns
    for row in range(0, grid.rows, max(1, int(np.ceil(LINE / height)))):
        cell = grid.cell(row, 0)
        page.text(left, (cell.top + cell.bottom - LINE) / 2, f"L{row}", colour=QUIET)
    wide = lettering.length(f"H{grid.columns - 2}", SMALL) + 8
    step = max(1, int(np.ceil(wide / width)))
    mlp = grid.area.right - lettering.length("MLP", SMALL) - 8
    for column in range(0, grid.columns - 1, step):
        cell = grid.cell(0, column)
        middle = (cell.left + cell.right) / 2
        if middle + wide / 2 < mlp:
            page.text(middle, grid.area.top - LINE - 2, f"H{column}", colour=QUIET, align=0.5)
    last = grid.cell(0, grid.columns - 1)
    middle = min((last.left + last.right) / 2, grid.area.right - (grid.area.right - mlp) / 2)
    page.text(middle, grid.area.top - LINE - 2, "MLP", colour=QUIET, align=0.5)


def _cell(page: Slide, grid: Grid, cell: Area, value: float, share: float) -> None:
    colour = SECOND if value > 0 else FIRST
    if grid.holds_numbers:
        box = (cell.left + 2, cell.top + 2, cell.right - 2, cell.bottom - 2)
        page.pen.rectangle(box, _mixed(colour, abs(share)))
        middle, top = (cell.left + cell.right) / 2, (cell.top + cell.bottom - LINE) / 2
        page.text(middle, top, _written(value), colour=PAPER if abs(share) > DARK else INK, align=0.5)
        return
    page.pen.rectangle((cell.left, cell.top, cell.right, cell.bottom), None, RULE)
    half = (min(cell.width, cell.height) / 2 - 1) * abs(share) ** 0.5
    x, y = (cell.left + cell.right) / 2, (cell.top + cell.bottom) / 2
    fill = colour if value > 0 else PAPER
    page.pen.rectangle((x - half, y - half, x + half, y + half), fill, colour, 2 if half > 3 else 1)


def _written(value: float) -> str:
    return f"{value:+.3f}" if abs(value) >= 0.0005 else "0.000"


def _mixed(colour: Colour, share: float) -> Colour:
    """Paper turning into a colour."""
    red, green, blue = (round(255 + (one - 255) * share) for one in colour)
    return red, green, blue
