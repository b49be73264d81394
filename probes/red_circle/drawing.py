"""Treatments of a picture: marks drawn on it, the rest blurred, greyed, darkened or cropped; and where to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter

from probes.core.marks import Mark
from probes.core.pictures import RGB, Picture
from probes.red_circle.geometry import Float64, covered, inside, meant

OUTSIDE = ("as it is", "blurred", "greyed", "darkened", "cropped")
"""What may become of the picture outside of the marks."""
BLUR = 0.2
"""Standard deviation of the blur, share of the height: Shtedritski's 100 pixels on pictures of about 480."""
DARK = 0.25
"""What is left of the light outside."""
MARGIN = 0.2
"""Room around what is cropped, share of its longer side."""
OVERSAMPLED = 4
"""Pictures are brought to so many times what the tower sees before they are drawn on; see `working_copy`."""


@dataclass(frozen=True)
class Treatment:
    """What is done to a picture.

    Attributes:
        marks: drawn in this order.
        outside: what becomes of the rest, one of OUTSIDE.
        inked: whether the marks are drawn, or only say what is outside.
        margin: room around what is cropped, share of its longer side.
    """

    marks: tuple[Mark, ...]
    outside: str = OUTSIDE[0]
    inked: bool = True
    margin: float = MARGIN

    def describe(self) -> str:
        """In words: `red circle`, `3 marks with the rest blurred`."""
        one = self.marks[0].describe() if len(self.marks) == 1 else f"{len(self.marks)} marks"
        rest = "cropped away" if self.outside == "cropped" else self.outside
        return one if self.outside == OUTSIDE[0] else f"{one} with the rest {rest}"


def ink(treatment: Treatment, height: int, width: int) -> Float64:
    """How much ink of any mark each pixel gets, (height, width), 0 to 1."""
    most = np.zeros((height, width))
    for mark in treatment.marks:
        patch = covered(mark, height, width)
        most[patch.where] = np.maximum(most[patch.where], patch.values)
    return most


def region(marks: Sequence[Mark], height: int, width: int) -> Float64:
    """How much of each pixel any of the marks means, (height, width), 0 to 1."""
    most = np.zeros((height, width))
    for mark in marks:
        patch = inside(mark, height, width)
        most[patch.where] = np.maximum(most[patch.where], patch.values)
    return most


def focus(marks: Sequence[Mark], height: int, width: int, name: str = "focus") -> Picture:
    """Where to look, as a grey picture: a Gaussian on each mark, its deviation half of the mark's size (FALIP)."""
    aspect = width / height
    most = np.zeros((height, width))
    for mark in marks:
        left, top, right, bottom = meant(mark, aspect)
        down = (np.arange(height) + 0.5) / height - (top + bottom) / 2
        across = (np.arange(width) + 0.5) / width - (left + right) / 2
        rows = np.exp(-0.5 * (down / max((bottom - top) / 2, 1e-3)) ** 2)
        columns = np.exp(-0.5 * (across / max((right - left) / 2, 1e-3)) ** 2)
        most = np.maximum(most, rows[:, None] * columns[None, :])
    grey = np.round(255 * most).astype(np.uint8)
    return Picture(name, np.repeat(grey[..., None], 3, axis=-1))


def draw(picture: Picture, treatment: Treatment) -> Picture:
    """The picture with the marks drawn on it and the rest as the treatment says."""
    height, width = picture.height, picture.width
    if treatment.outside in ("blurred", "greyed", "darkened"):
        rgb = _outside(picture, treatment.outside).copy()
        where = _around(treatment.marks, height, width)
        share = region(treatment.marks, height, width)[where][..., None]
        rgb[where] = np.round(share * picture.rgb[where] + (1 - share) * rgb[where])
    else:
        rgb = picture.rgb.copy()
    for mark in treatment.marks if treatment.inked else ():
        patch = covered(mark, height, width)
        part = patch.values[..., None]
        rgb[patch.where] = np.round(rgb[patch.where] * (1 - part) + np.asarray(mark.ink, np.float64) * part)
    if treatment.outside == "cropped":
        rgb = _cropped(rgb, treatment.marks, treatment.margin)
    return Picture(picture.name, rgb, picture.notes)


def spray(picture: Picture, share: Float64, colours: Float64) -> Picture:
    """The picture under ink: `share` (h, w) of each pixel in `colours` (h, w, 3) or (3,)."""
    part = share[..., None]
    return Picture(
        picture.name, np.round(picture.rgb * (1 - part) + colours * part).astype(np.uint8), picture.notes
    )


@lru_cache(maxsize=8)
def working_copy(picture: Picture, seen: tuple[int, int]) -> Picture:
    """The picture, or a smaller copy where it is far larger than what the tower sees.

    A mark is drawn for a tower that sees some 224 pixels: on a photo of twelve megapixels almost all that work is
    thrown away by the tower's own resizing. The shorter side is brought to at most OVERSAMPLED times the tower's,
    for the unmarked picture as for the marked ones, and it is said among the cautions.
    """
    short, limit = min(picture.width, picture.height), OVERSAMPLED * max(seen)
    if short <= limit:
        return picture
    size = (max(1, round(picture.width * limit / short)), max(1, round(picture.height * limit / short)))
    small = picture.image().resize(size, Image.Resampling.BICUBIC)
    return Picture(picture.name, np.asarray(small), picture.notes)


def rectangle(box: tuple[float, float, float, float]) -> Mark:
    """The outline of a region: left, top, right and bottom as shares of width and height."""
    left, top, right, bottom = box
    return Mark("rectangle", ((left, top), (right, bottom)))


def in_colour(marks: Sequence[Mark], colour: str) -> tuple[Mark, ...]:
    """The marks in another colour."""
    return tuple(replace(mark, colour=colour) for mark in marks)


def _around(marks: Sequence[Mark], height: int, width: int) -> tuple[slice, slice]:
    """The rows and columns that hold all that the marks mean."""
    parts = [inside(mark, height, width).where for mark in marks]
    rows, columns = zip(*parts, strict=True)
    return (
        slice(min(part.start for part in rows), max(part.stop for part in rows)),
        slice(min(part.start for part in columns), max(part.stop for part in columns)),
    )


@lru_cache(maxsize=8)
def _outside(picture: Picture, how: str) -> RGB:
    """The whole picture as its outside will be."""
    image = picture.image()
    if how == "blurred":
        return np.asarray(image.filter(ImageFilter.GaussianBlur(BLUR * picture.height)))
    if how == "greyed":
        return np.asarray(image.convert("L").convert("RGB"))
    return np.round(picture.rgb * DARK).astype(np.uint8)


def _cropped(rgb: RGB, marks: Sequence[Mark], margin: float) -> RGB:
    """The part round the marks with a margin, square where there is room, so that no tower cuts it again."""
    height, width = rgb.shape[:2]
    boxes = np.array([meant(mark, width / height) for mark in marks]) * (width, height, width, height)
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    side = max(right - left, bottom - top) * (1 + 2 * margin)
    columns = _span((left + right) / 2, side, width)
    rows = _span((top + bottom) / 2, side, height)
    return np.ascontiguousarray(rgb[rows, columns])


def _span(middle: float, side: float, whole: int) -> slice:
    """Pixels of a stretch of about `side` round `middle`, moved inside where it sticks out."""
    count = min(whole, max(1, round(side)))
    start = min(max(0, round(middle - count / 2)), whole - count)
    return slice(start, start + count)
