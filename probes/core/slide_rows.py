"""Rows of values on a slide: a name, a bar or dot with its 95 % interval on a common axis, and what is told of it.

Marks differ in shape as well as in colour, and every value is written, so that a row is read in grey as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import ImageDraw

from probes.core import lettering
from probes.core.lettering import line_height
from probes.core.slides import FIRST, INK, PAPER, QUIET, RULE, SMALL, Area, Colour, Slide

Mark = Literal["bar", "filled", "hollow", "diamond"]

LABEL = 0.4
"""Share of the width that names of rows may take."""
TALLEST, LARGEST = 78, 40
"""Pixels of a row and of its letters at most; at least, they are those of a line of `SMALL`."""
PADDING = 24
"""Pixels between columns."""
AXIS = 2 * line_height(SMALL) + 12
"""Pixels under the rows for the axis, its numbers and its title."""
TICKS = 5
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
RADIUS = 9


@dataclass(frozen=True)
class Row:
    """A row; `low` and `high` are the ends of its interval, None where there is none, `told` stands at its end."""

    label: str
    value: float
    low: float | None
    high: float | None
    told: str
    mark: Mark = "filled"
    colour: Colour = FIRST


@dataclass(frozen=True)
class Scale:
    """A linear axis: values from `least` to `most` at pixels from `left` to `right`."""

    least: float
    most: float
    left: int
    right: int

    @classmethod
    def over(cls, rows: Sequence[Row], left: int, right: int) -> Scale:
        """One that holds every value, every interval and zero, with a little room at each end that is not zero."""
        ends = [end for row in rows for end in (row.value, row.low, row.high) if end is not None]
        least, most = min(0.0, *ends), max(0.0, *ends)
        room = 0.04 * (most - least) or 1.0
        return cls(least - room if least < 0 else 0.0, most + room if most > 0 or not least else 0.0, left, right)

    def at(self, value: float) -> float:
        """Where a value lies; one beyond an end lies at it."""
        share = (value - self.least) / (self.most - self.least)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def ticks(self) -> list[float]:
        """Round values along the axis, a handful."""
        rough = (self.most - self.least) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * one for one in STEPS if power * one >= rough * 0.999)
        first, last = math.ceil(self.least / step - 1e-9), math.floor(self.most / step + 1e-9)
        return [step * number for number in range(first, last + 1)]


def fits(area: Area) -> int:
    """How many rows an area holds."""
    return max((area.height - AXIS) // line_height(SMALL), 1)


def draw_rows(slide: Slide, area: Area, rows: Sequence[Row], title: str, percent: bool = False,
              scale: tuple[float, float] | None = None) -> None:  # fmt: skip
    """Rows one under another, from the top, and the axis below.

    Args:
        area: has to hold them; see `fits`.
        title: of the axis, under it.
        percent: whether the axis is written in percent.
        scale: where it begins and ends; by default it holds what there is.
    """
    height = min(TALLEST, (area.height - AXIS) // len(rows))
    size = min(max(round(height / 1.6), SMALL), LARGEST)
    names = [lettering.fitted(lettering.plain(row.label), LABEL * area.width, size) for row in rows]
    label = round(max(lettering.length(name, size) for name in names))
    told = round(max(lettering.length(row.told, size) for row in rows))
    left, right = area.left + label + PADDING, area.right - told - PADDING
    axis = Scale.over(rows, left, right) if scale is None else Scale(*scale, left, right)
    _axis(slide, axis, area, area.top + height * len(rows), title, percent)
    for place, (row, name) in enumerate(zip(rows, names, strict=True)):
        top = area.top + place * height
        line = top + (height - line_height(size)) // 2
        slide.text(area.left + label, line, name, size, align=1.0)
        slide.text(area.right, line, row.told, size, align=1.0)
        _mark(slide.pen, axis, row, top + height / 2, height)


def _axis(slide: Slide, axis: Scale, area: Area, bottom: int, title: str, percent: bool) -> None:
    ticks = axis.ticks()
    written = [f"{tick:.0%}" if percent else f"{round(tick, 9):g}" for tick in ticks]
    for tick, name in zip(ticks, written, strict=True):
        x = round(axis.at(tick))
        slide.pen.line((x, area.top, x, bottom + 6), QUIET if tick == 0 else RULE, 2)
        slide.text(x, bottom + 6, name, colour=QUIET, align=0.5)
    slide.pen.line((axis.left, bottom, axis.right, bottom), QUIET, 2)
    title = lettering.fitted(lettering.plain(title), area.width, SMALL)
    middle, half = (axis.left + axis.right) / 2, lettering.length(title, SMALL) / 2
    middle = min(max(middle, area.left + half), area.right - half)
    slide.text(middle, bottom + 6 + line_height(SMALL), title, align=0.5)


def _mark(pen: ImageDraw.ImageDraw, axis: Scale, row: Row, y: float, height: int) -> None:
    """The interval of a row and the mark of its value."""
    x = axis.at(row.value)
    if row.mark == "bar":
        half = max(height / 2 - 5, 8)
        zero = axis.at(0.0)
        pen.rectangle((min(zero, x), y - half, max(zero, x), y + half), row.colour)
    if row.low is not None and row.high is not None:
        low, high = axis.at(row.low), axis.at(row.high)
        if row.mark == "bar":  # seen on the bar and beside it
            pen.line((low, y, high, y), PAPER, 9)
        pen.line((low, y, high, y), INK, 4)
        for end in (low, high):
            pen.line((end, y - 8, end, y + 8), INK, 4)
    box = (x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS)
    if row.mark == "filled":
        pen.ellipse(box, row.colour, INK, 2)
    elif row.mark == "hollow":
        pen.ellipse(box, PAPER, INK, 3)
    elif row.mark == "diamond":
        reach = RADIUS + 3
        corners = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)]
        pen.polygon(corners, PAPER, row.colour, 4)
