"""Sweeps: the first mark slid over the picture, and made larger, thicker, of other colours; which moves most.

The map has the logit of each text (mean over templates) with the mark's centre at each place of a grid; other
marks stay where they are. Places are visited in an order that covers the picture evenly, so that a sweep that is
stopped has a coarse map. A curve has the change of each logit against the unmarked picture, and the mean of the
same mark elsewhere: what grows with the mark's size wherever it is drawn is no steering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from probes.core.arrays import Floats
from probes.core.marks import COLOURS, RADII, WIDTHS, Mark
from probes.core.model import Progress
from probes.core.pictures import Picture
from probes.core.regions import Box
from probes.red_circle.drawing import Treatment, draw
from probes.red_circle.placebos import drawn, elsewhere

AT_ONCE = 28
"""Places that are encoded before the map is shown again."""
AROUND = 8
"""Placebos at every step of a curve."""
FACTORS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
"""Steps of a curve of size or line width, times the mark's own."""

Float64 = NDArray[np.float64]
Measured = Callable[[Sequence[Picture]], Float64]
"""Pictures -> logits (n, l), mean over templates."""


@dataclass(frozen=True)
class Sweep:
    """The map, as far as it is done.

    Attributes:
        grid: places a side.
        places: (m, 2), x and y of the mark's centre.
        logits: (m, l).
        unmarked: (l,), logits of the unmarked picture.
    """

    grid: int
    places: Floats
    logits: Floats
    unmarked: Floats

    @property
    def whole(self) -> bool:
        """Whether every place was visited."""
        return len(self.places) == self.grid**2

    def cells(self, text: int) -> Float64:
        """Change of a text's logit by place, (grid, grid), top row first; not-a-number where nothing is known."""
        found = np.full((self.grid, self.grid), np.nan)
        columns, rows = np.floor(self.places * self.grid).astype(int).T
        found[rows, columns] = self.logits[:, text] - self.unmarked[text]
        return found


@dataclass(frozen=True)
class CurvePoint:
    """One step of a curve.

    Attributes:
        what: `radius`, `size`, `width` or `colour`.
        value: the step: a share of the picture's height; for a colour its place among the colours.
        name: the value in words.
        changes: (l,), of each text's logit.
        elsewhere: (l,), mean of the same mark elsewhere; None where the picture has no room for it.
    """

    what: str
    value: float
    name: str
    changes: Floats
    elsewhere: Floats | None


@dataclass(frozen=True)
class Found:
    """The mark that moves a text the most, of those that were tried.

    Attributes:
        change: of the text's logit.
        tried: how many marks.
    """

    text: str
    mark: Mark
    change: float
    tried: int


@dataclass(frozen=True)
class SweepRow:
    """A row of the table `sweep`: the logit of a text with the mark at a place (shares of width and height)."""

    text: str
    x: float
    y: float
    logit: float


@dataclass(frozen=True)
class CurveRow:
    """A row of the table `curves`: a text's change at a step, here and elsewhere."""

    text: str
    what: str
    value: str
    logit_change: float
    placebo_mean: float | None
    beyond_placebos: float | None


def places(grid: int) -> Float64:
    """Centres of grid x grid cells as (x, y), in an order of which every beginning covers the picture evenly."""
    cells = sorted(
        np.ndindex(grid, grid), key=lambda cell: (_reversed(cell[0] ^ cell[1]), _reversed(cell[0]), cell)
    )
    return np.array([((column + 0.5) / grid, (row + 0.5) / grid) for row, column in cells])


def _reversed(number: int, bits: int = 6) -> int:
    """The number with its bits in opposite order: neighbours come far apart."""
    return int(f"{number:0{bits}b}"[::-1], 2)


def slid(
    picture: Picture, treatment: Treatment, grid: int, unmarked: Float64, measured: Measured, progress: Progress
) -> Iterator[Sweep]:
    """The map, again and again as it fills; whoever asks no more keeps the last one."""
    first, *others = treatment.marks
    every = places(grid)
    logits = np.empty((0, len(unmarked)))
    for start in range(0, len(every), AT_ONCE):
        progress(start / len(every), f"the mark at place {start + 1} of {len(every)}")
        here = every[start : start + AT_ONCE]
        moved = [replace(treatment, marks=(first.moved_to(float(x), float(y)), *others)) for x, y in here]
        logits = np.vstack([logits, measured([draw(picture, one) for one in moved])])
        yield Sweep(grid, every[: len(logits)], logits, unmarked)


def curves(
    picture: Picture,
    treatment: Treatment,
    unmarked: Float64,
    measured: Measured,
    seed: int,
    view: Box,
    progress: Progress,
) -> Iterator[CurvePoint]:
    """Steps of size, line width and colour, with placebos at each."""
    every = list(_steps(treatment))
    kinds = list(dict.fromkeys(what for what, *_ in every))
    for place, kind in enumerate(kinds):  # one request a curve, so that batches are full
        progress(place / len(kinds), f"sweeping {kind}")
        steps = [step for step in every if step[0] == kind]
        shown = [
            [draw(picture, one), *drawn(picture, elsewhere(picture, one, AROUND, seed, view))] for *_, one in steps
        ]
        logits = measured([frame for frames in shown for frame in frames])
        ends = np.cumsum([len(frames) for frames in shown])
        for (what, value, name, _), rows in zip(steps, np.split(logits, ends[:-1]), strict=True):
            mean = rows[1:].mean(axis=0) - unmarked if len(rows) > 1 else None
            yield CurvePoint(what, value, name, rows[0] - unmarked, mean)


def _steps(treatment: Treatment) -> Iterator[tuple[str, float, str, Treatment]]:
    first, *others = treatment.marks

    def with_first(mark: Mark) -> Treatment:
        return replace(treatment, marks=(mark, *others))

    for factor in FACTORS:
        scaled = first.scaled(factor)
        if not first.radius:
            yield "size", factor, f"{factor:g} times", with_first(scaled)
        elif RADII[0] <= scaled.radius <= RADII[1]:
            yield "radius", scaled.radius, f"{scaled.radius:.3g}", with_first(scaled)
    for factor in FACTORS:
        width = factor * first.width
        if WIDTHS[0] <= width <= WIDTHS[1]:
            yield "width", width, f"{width:.3g}", with_first(replace(first, width=width))
    for place, colour in enumerate(COLOURS):
        yield "colour", float(place), colour, with_first(replace(first, colour=colour))


def strongest(
    picture: Picture, treatment: Treatment, text: str, unmarked: float, grid: int, view: Box,
    measured: Measured, progress: Progress,
) -> Found:  # fmt: skip
    """The mark that raises a text's logit the most: place, then size, width and colour, then place once more.

    Only marks that the tower sees whole are tried, besides the one that is there.

    Args:
        picture: what is drawn on.
        treatment: its first mark is changed; the others stay.
        text: which.
        unmarked: its logit on the unmarked picture.
        grid: places a side of the first round.
        view: the part of the picture that the tower sees.
        measured: pictures -> logits (n, 1) of the text.
        progress: told the share that is done.
    """
    first, *others = treatment.marks
    tried = 0
    best, value = first, -np.inf
    for round_, make in enumerate((_elsewhere, _resized, _rewidened, _recoloured, _nearby)):
        progress(round_ / 5, f"looking for the mark that moves “{text}” most")
        marks = [best, *(mark for mark in make(best, grid) if _whole(mark, picture.width / picture.height, view))]
        logits = measured([draw(picture, replace(treatment, marks=(mark, *others))) for mark in marks])[:, 0]
        tried += len(marks)
        if logits.max() > value:
            best, value = marks[int(logits.argmax())], float(logits.max())
    return Found(text, best, value - unmarked, tried)


def _whole(mark: Mark, aspect: float, view: Box) -> bool:
    """Whether a mark lies in a part of the picture."""
    left, top, right, bottom = mark.box(aspect)
    return left >= view[0] and top >= view[1] and right <= view[2] and bottom <= view[3]


def _elsewhere(mark: Mark, grid: int) -> list[Mark]:
    return [mark.moved_to(float(x), float(y)) for x, y in places(grid)]


def _resized(mark: Mark, grid: int) -> list[Mark]:
    sizes = (mark.scaled(factor) for factor in FACTORS)
    return [size for size in sizes if not size.radius or RADII[0] <= size.radius <= RADII[1]]


def _rewidened(mark: Mark, grid: int) -> list[Mark]:
    return [replace(mark, width=float(np.clip(factor * mark.width, *WIDTHS))) for factor in FACTORS]


def _recoloured(mark: Mark, grid: int) -> list[Mark]:
    return [replace(mark, colour=colour) for colour in COLOURS]


def _nearby(mark: Mark, grid: int) -> list[Mark]:
    x, y = mark.centre
    steps = np.linspace(-0.5, 0.5, 5) / grid
    return [
        mark.moved_to(float(np.clip(x + across, 0, 1)), float(np.clip(y + down, 0, 1)))
        for across in steps
        for down in steps
    ]


def rows(sweep: Sweep | None, texts: Sequence[str]) -> tuple[SweepRow, ...]:
    """The table `sweep`."""
    if sweep is None:
        return ()
    return tuple(
        SweepRow(text, float(x), float(y), float(logits[place]))
        for place, text in enumerate(texts[: sweep.logits.shape[1]])
        for (x, y), logits in zip(sweep.places, sweep.logits, strict=True)
    )


def curve_rows(points: Sequence[CurvePoint], texts: Sequence[str]) -> tuple[CurveRow, ...]:
    """The table `curves`."""
    return tuple(
        CurveRow(
            text, point.what, point.name, float(point.changes[place]),
            None if point.elsewhere is None else float(point.elsewhere[place]),
            None if point.elsewhere is None else float(point.changes[place] - point.elsewhere[place]),
        )
        for point in points
        for place, text in enumerate(texts[: len(point.changes)])
    )  # fmt: skip
