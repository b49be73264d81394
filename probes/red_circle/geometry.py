"""How much of each pixel a mark covers, without a drawing library's roundings.

All lengths below are in pixels; pixel (i, j) has its centre at (j + 1/2, i + 1/2). A line of width w along an
outline covers a pixel whose centre has distance d from the outline by

    clip(w/2 - |d| + 1/2, 0, 1),   at most w in all,

so that the painted area tends to length times w, and a line thinner than a pixel fades instead of breaking up.
Rectangles are covered exactly: the share of each pixel inside the outer box less that inside the inner one. The
distance from an ellipse is approximated to first order, k0 (k0 - 1) / k1 with k0 = |p/r| and k1 = |p/r^2|;
that from a circle is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.marks import Mark

Float64 = NDArray[np.float64]

TIP = 0.35
"""An arrow means a disc round its tip, of so many times its length."""


@dataclass(frozen=True, eq=False)
class Patch:
    """Values on a part of a picture: `values` (h, w) from row `top` and column `left` on; zero elsewhere."""

    top: int
    left: int
    values: Float64

    @property
    def where(self) -> tuple[slice, slice]:
        """The rows and columns of the part."""
        rows, columns = self.values.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)

    def whole(self, height: int, width: int) -> Float64:
        """The values on the whole picture, (height, width)."""
        full = np.zeros((height, width))
        full[self.where] = self.values
        return full


def line(mark: Mark, height: int, width: int) -> Patch:
    """How much of each pixel the mark's line covers, 0 to 1; a point has no line but a disc."""
    thick = mark.width * height
    top, left, down, across = _grid(mark, height, width, thick)
    if mark.shape == "rectangle":
        half = _half(mark, height, width)
        values = _box(down, across, *(side + thick / 2 for side in half))
        values = values - _box(down, across, *(max(side - thick / 2, 0.0) for side in half))
    elif mark.shape == "arrow":
        values = _arrow(mark, down, across, height, width)
    elif mark.shape == "point":
        values = np.clip(0.5 - _distance(mark, down, across, height, width), 0.0, 1.0)
    else:
        off = np.abs(_distance(mark, down, across, height, width))
        values = np.minimum(np.clip(thick / 2 - off + 0.5, 0.0, 1.0), min(thick, 1.0))
    return Patch(top, left, values)


def inside(mark: Mark, height: int, width: int) -> Patch:
    """How much of each pixel the mark means, 0 to 1: what its outline encloses, or a disc round an arrow's tip."""
    top, left, down, across = _grid(mark, height, width, 1.0)
    if mark.shape == "rectangle":
        return Patch(top, left, _box(down, across, *_half(mark, height, width)))
    return Patch(top, left, np.clip(0.5 - _distance(mark, down, across, height, width), 0.0, 1.0))


def covered(mark: Mark, height: int, width: int) -> Patch:
    """How much ink each pixel gets, 0 to 1: the line, and the fill inside."""
    drawn = line(mark, height, width)
    if not mark.fill or mark.shape == "arrow":
        return drawn
    filled = inside(mark, height, width).whole(height, width)[drawn.where]
    return Patch(drawn.top, drawn.left, np.maximum(drawn.values, mark.fill * filled))


def meant(mark: Mark, aspect: float) -> tuple[float, float, float, float]:
    """The box of what a mark means, shares of width and height."""
    if mark.shape != "arrow":
        return mark.box(aspect)
    x, y = mark.points[1]
    reach = TIP * _length(mark, aspect)
    return x - reach / aspect, y - reach, x + reach / aspect, y + reach


def _length(mark: Mark, aspect: float) -> float:
    """Of an arrow, share of the picture's height."""
    (x0, y0), (x1, y1) = mark.points
    return float(np.hypot((x1 - x0) * aspect, y1 - y0))


def _grid(mark: Mark, height: int, width: int, thick: float) -> tuple[int, int, Float64, Float64]:
    """The part of the picture on which the mark lies, and the pixels' centres there relative to the mark's."""
    boxes = [mark.box(width / height)]
    if mark.shape == "arrow":
        boxes.append(meant(mark, width / height))
    left, top = (min(box[side] for box in boxes) for side in (0, 1))
    right, bottom = (max(box[side] for box in boxes) for side in (2, 3))
    reach = (3.0 if mark.shape == "arrow" else 0.5) * thick + 2.0
    rows = np.arange(max(0, int(top * height - reach)), min(height, int(bottom * height + reach) + 1), dtype=float)
    columns = np.arange(max(0, int(left * width - reach)), min(width, int(right * width + reach) + 1), dtype=float)
    x, y = mark.centre
    first = (int(rows[0]) if len(rows) else 0, int(columns[0]) if len(columns) else 0)
    down: Float64 = rows[:, None] + 0.5 - y * height
    across: Float64 = columns[None, :] + 0.5 - x * width
    return *first, down, across


def _half(mark: Mark, height: int, width: int) -> tuple[float, float]:
    """Half of a rectangle's or ellipse's height and width."""
    (x0, y0), (x1, y1) = mark.points
    return abs(y1 - y0) * height / 2, abs(x1 - x0) * width / 2


def _box(down: Float64, across: Float64, half_down: float, half_across: float) -> Float64:
    """The share of each pixel inside a box round the middle, exactly."""
    rows = np.clip(np.minimum(down + 0.5, half_down) - np.maximum(down - 0.5, -half_down), 0.0, 1.0)
    columns = np.clip(np.minimum(across + 0.5, half_across) - np.maximum(across - 0.5, -half_across), 0.0, 1.0)
    share: Float64 = rows * columns
    return share


def _distance(mark: Mark, down: Float64, across: Float64, height: int, width: int) -> Float64:
    """Signed distance of pixels from the outline of what is meant, negative inside."""
    if mark.shape == "arrow":
        return np.hypot(down, across) - TIP * _length(mark, width / height) * height
    if mark.radius:
        return np.hypot(down, across) - mark.radius * height
    half_down, half_across = _half(mark, height, width)
    near = np.hypot(down / half_down, across / half_across)
    slope = np.hypot(down / half_down**2, across / half_across**2)
    return np.where(slope > 0, near * (near - 1) / np.maximum(slope, 1e-12), -min(half_down, half_across))


def _arrow(mark: Mark, down: Float64, across: Float64, height: int, width: int) -> Float64:
    """A shaft from the tail, and a head whose tip is the mark's tip: the union of a line and a triangle."""
    (x0, y0), (x1, y1) = mark.points
    thick = mark.width * height
    length = _length(mark, width / height) * height
    back_x, back_y = (x0 - x1) * width / length, (y0 - y1) * height / length  # from tip to tail, unit
    along = across * back_x + down * back_y
    aside = np.abs(down * back_x - across * back_y)
    head = min(4 * thick, 0.6 * length)
    shaft = np.minimum(thick / 2 - aside, np.minimum(along - head / 2, length - along))
    # the two long sides of the head slope by one to two
    tip = np.minimum((along - 2 * aside) / np.sqrt(5.0), head - along)
    cover = np.clip(np.maximum(shaft, tip) + 0.5, 0.0, 1.0)
    drawn: Float64 = np.minimum(cover, min(thick, 1.0))
    return drawn
