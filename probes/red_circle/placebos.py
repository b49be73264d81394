"""Placebos: treatments that share all but one thing with a treatment, and so tell whose doing an effect is.

elsewhere   the same marks at places dealt by chance: what the place does not do
colour      the same marks in the other colours: what red does not do
shape       other shapes of about the same size at the same place: what the circle does not do
scattered   the same amount of ink, strewn over the picture in squares of the line's width: what ink alone does
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from probes.core.marks import COLOURS, RADII, SHAPES, Mark
from probes.core.pictures import Picture
from probes.core.regions import Box
from probes.red_circle.drawing import OUTSIDE, Treatment, draw, in_colour, ink, spray

KINDS = ("elsewhere", "colour", "shape", "scattered")
TOLD = {
    "elsewhere": "the same mark elsewhere",
    "colour": "the same mark in other colours",
    "shape": "other shapes at the same place",
    "scattered": "the same ink, scattered",
}
"""What each kind is called in a figure."""
NEAREST = 0.5
"""A placebo's centre is at least so many times the mark's size away. A rank is exact where no place is left out;
leaving out all that overlap the mark calls too many large marks effects where nothing is to find."""
SCATTERED = 39
"""How often the ink is scattered: the smallest p-value is 1/40."""
TRIES = 50
"""Places that are dealt for each that is wanted: some are too near to the mark itself."""


@dataclass(frozen=True)
class Placebo:
    """One placebo.

    Attributes:
        kind: `elsewhere`, `colour` or `shape`; scattered ink has no treatment (see `scattered`).
        what: what it has instead: a place, a colour, a shape, a number.
        treatment: what is drawn.
    """

    kind: str
    what: str
    treatment: Treatment


def elsewhere(
    picture: Picture, treatment: Treatment, count: int, seed: int, view: Box = (0.0, 0.0, 1.0, 1.0)
) -> tuple[Placebo, ...]:
    """The same marks at `count` other places: whole, and each at least half its size away from where it was.

    Places are uniform over those allowed, which lie in `view`: a placebo that the tower never sees would be none.
    The tries depend on the seed and the marks' sizes alone, so that a mark that moves a little keeps most of its
    placebos. Fewer than `count`, possibly none, where the picture has no room.
    """
    rng = np.random.default_rng([seed, 3])
    dealt = [_places(picture, mark, count, rng, view) for mark in treatment.marks]
    return tuple(
        Placebo(
            "elsewhere",
            f"{marks[0].centre[0]:.3f},{marks[0].centre[1]:.3f}",
            replace(treatment, marks=tuple(marks)),
        )
        for marks in zip(*dealt, strict=False)
    )


def _places(picture: Picture, mark: Mark, count: int, rng: np.random.Generator, view: Box) -> list[Mark]:
    aspect = picture.width / picture.height
    left, top, right, bottom = mark.box(aspect)
    x, y = mark.centre
    line = mark.width / 2
    low = np.array(view[:2]) + np.array([x - left + line / aspect, y - top + line])
    high = np.array(view[2:]) - np.array([right - x + line / aspect, bottom - y + line])
    if (low >= high).any():
        return []
    tries = low + (high - low) * rng.random((count * TRIES, 2))
    size = max((right - left) * aspect, bottom - top) / 2
    away = np.hypot((tries[:, 0] - x) * aspect, tries[:, 1] - y) >= NEAREST * size
    return [mark.moved_to(float(across), float(down)) for across, down in tries[away][:count]]


def colours(treatment: Treatment) -> tuple[Placebo, ...]:
    """The same marks in every colour that none of them has."""
    used = {mark.ink for mark in treatment.marks}
    others = [name for name, value in COLOURS.items() if value not in used]
    return tuple(
        Placebo("colour", name, replace(treatment, marks=in_colour(treatment.marks, name))) for name in others
    )


def shapes(picture: Picture, treatment: Treatment) -> tuple[Placebo, ...]:
    """The same marks in every other shape; circles and ellipses count as one."""
    aspect = picture.width / picture.height
    round_ones = {"circle", "ellipse"}
    used = {mark.shape for mark in treatment.marks}
    others = [
        s for s in SHAPES if s != "ellipse" and s not in used and not (s in round_ones and used & round_ones)
    ]
    return tuple(
        Placebo(
            "shape",
            shape,
            replace(treatment, marks=tuple(as_shape(mark, shape, aspect) for mark in treatment.marks)),
        )
        for shape in others
    )


def as_shape(mark: Mark, shape: str, aspect: float) -> Mark:
    """A mark of another shape at the same place, of about the same size.

    A point is a dot in the middle, so that it does not hide what is marked; an arrow comes from the side with
    more room.
    """
    if shape == mark.shape:
        return mark
    if mark.shape == "point":  # whose disc is all fill
        mark = replace(mark, fill=0.0)
    left, top, right, bottom = mark.box(aspect)
    x, y = mark.centre
    size = max((right - left) * aspect, bottom - top) / 2
    if shape in ("circle", "point"):
        radius = size if shape == "circle" else max(mark.width, size / 4)
        return replace(mark, shape=shape, points=((x, y),), radius=float(np.clip(radius, *RADII)))
    if shape == "arrow":
        tail = x + (-1 if x > 0.5 else 1) * 2 * size / aspect, y + (-1 if y > 0.5 else 1) * 2 * size
        return replace(mark, shape=shape, points=(tail, (x, y)), radius=0.0)
    reach = size / aspect
    return replace(mark, shape=shape, points=((x - reach, y - size), (x + reach, y + size)), radius=0.0)


def scattered(picture: Picture, treatment: Treatment, seed: int) -> tuple[Picture, ...]:
    """The picture under the same amount of each mark's ink, in squares of its line's width, strewn by chance.

    The squares lie on a grid and never overlap within a mark; their opacity makes the amount of ink equal, pixel
    for pixel. Nothing where the outside is treated as well: blur is no ink.
    """
    if treatment.outside != OUTSIDE[0]:
        return ()
    rng = np.random.default_rng([seed, 4])
    return tuple(_strewn(picture, treatment, rng) for _ in range(SCATTERED))


def _strewn(picture: Picture, treatment: Treatment, rng: np.random.Generator) -> Picture:
    height, width = picture.height, picture.width
    for mark in treatment.marks:
        amount = float(ink(replace(treatment, marks=(mark,)), height, width).sum())
        side = max(1, round(mark.width * height))
        rows, columns = height // side, width // side
        count = min(max(1, int(np.ceil(amount / side**2))), rows * columns)
        chosen = np.zeros(rows * columns)
        chosen[rng.choice(rows * columns, size=count, replace=False)] = min(1.0, amount / (count * side**2))
        share = np.zeros((height, width))
        share[: rows * side, : columns * side] = np.kron(chosen.reshape(rows, columns), np.ones((side, side)))
        picture = spray(picture, share, np.asarray(mark.ink, np.float64))
    return picture


def drawn(picture: Picture, placebos: tuple[Placebo, ...]) -> tuple[Picture, ...]:
    """The picture under each placebo."""
    return tuple(draw(picture, placebo.treatment) for placebo in placebos)
