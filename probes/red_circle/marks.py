"""Marks drawn on pictures, without a drawing library's roundings.

Coverage of a pixel by a ring of radius r and line width w, both in pixels, centred on (cx, cy), is approximated
by the signed distance of the pixel's centre to the line's edge, cut to 0..1:

    coverage = clip(w/2 - |dist - r| + 1/2, 0, 1),   at most w in all,

so that the painted area tends to 2 pi r w, and a line thinner than a pixel fades instead of breaking up.
Lengths are shares of the picture's height, so that the same mark on a picture twice the size looks the same
(Shtedritski 2023 use radius .06 and line width .01).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.pictures import Picture

COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 160, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 220, 0),
    "purple": (160, 0, 200),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}
"""Colours a mark can have, sRGB."""


@dataclass(frozen=True)
class Circle:
    """A circle on a picture.

    Attributes:
        x, y: centre, shares of the picture's width and height.
        radius: of the middle of the line, share of the picture's height.
        width: of the line, share of the picture's height.
        colour: a name in COLOURS.
    """

    x: float
    y: float
    radius: float
    width: float
    colour: str = "red"


def coverage(height: int, width: int, circle: Circle) -> NDArray[np.float64]:
    """How much of each pixel the circle's line covers, (height, width), 0 to 1."""
    # Pixel (i, j) has its centre at (j + 1/2, i + 1/2).
    down = np.arange(height)[:, None] + 0.5 - circle.y * height
    across = np.arange(width)[None, :] + 0.5 - circle.x * width
    distance = np.hypot(down, across)
    line = circle.width * height
    ring = np.clip(line / 2 - np.abs(distance - circle.radius * height) + 0.5, 0.0, 1.0)
    share: NDArray[np.float64] = np.minimum(ring, min(line, 1.0))
    return share


def draw(picture: Picture, circle: Circle) -> Picture:
    """The picture with the circle drawn on it."""
    share = coverage(picture.height, picture.width, circle)[..., None]
    ink = np.asarray(COLOURS[circle.colour], dtype=np.float64)
    rgb = picture.rgb * (1.0 - share) + ink * share
    return Picture(picture.name, np.round(rgb).astype(np.uint8), picture.notes)


def placebo_places(picture: Picture, circle: Circle, count: int, rng: np.random.Generator) -> tuple[Circle, ...]:
    """The same circle at `count` other places: whole, and at least a radius away from the original.

    Places are uniform over those allowed. Fewer than `count`, possibly none, are returned where the picture
    has no room.
    """
    reach = circle.radius + circle.width / 2  # shares of the height
    aspect = picture.width / picture.height
    if reach * 2 >= min(1.0, aspect):
        return ()
    tries = rng.uniform((reach / aspect, reach), (1 - reach / aspect, 1 - reach), size=(count * 50, 2))
    away = np.hypot((tries[:, 0] - circle.x) * aspect, tries[:, 1] - circle.y) >= circle.radius
    return tuple(
        Circle(float(x), float(y), circle.radius, circle.width, circle.colour) for x, y in tries[away][:count]
    )
