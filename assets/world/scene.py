"""What a picture of the world shows: a ground, up to a few things on it in order, and perhaps a circle.

`assets.world.compose` draws it. Lengths are shares of the picture's side, places run from -1 to 1 across and down.
"""

from __future__ import annotations

from dataclasses import dataclass

GROUNDS = {
    "white": (245, 245, 245),
    "black": (25, 25, 25),
    "grey": (128, 128, 128),
    "red": (205, 50, 45),
    "orange": (240, 140, 40),
    "yellow": (245, 220, 70),
    "green": (60, 150, 70),
    "blue": (50, 90, 190),
    "light blue": (150, 205, 240),
    "purple": (125, 65, 165),
    "pink": (245, 165, 190),
    "brown": (125, 80, 50),
}
"""Plain grounds, sRGB 0..255."""

TEXTURES = {
    "grass": (95, 160, 60),
    "sea": (35, 105, 165),
    "sand": (222, 196, 140),
    "snow": (232, 240, 248),
    "sky": (135, 195, 240),
    "rock": (120, 115, 110),
    "stripes": (200, 200, 200),
    "checks": (200, 200, 200),
    "dots": (200, 200, 200),
}
"""Grounds with a texture and their main colour; the last three are drawn in two colours dealt by chance."""

TINTS = {
    "red": (225, 45, 40),
    "orange": (245, 140, 30),
    "yellow": (250, 215, 50),
    "green": (60, 170, 70),
    "blue": (45, 90, 215),
    "purple": (135, 60, 180),
    "pink": (250, 140, 185),
    "grey": (150, 150, 150),
}
"""Colours a thing can be drawn in, sRGB 0..255."""
INKS = {"black": (15, 15, 15), "white": (250, 250, 250)}
"""Colours of written words."""


@dataclass(frozen=True)
class Thing:
    """One drawing in its place.

    Attributes:
        drawing: a row of the sheet of drawings.
        name: what it is: an emoji's label, a written word, a patch's name.
        scale: the drawing's side as a share of the picture's.
        x, y: its centre, -1 to 1.
        angle: in radians.
        gain: (3,) and `shift`, `saturation`: how its colours are varied.
        tint: a name in TINTS or INKS that it is recoloured in.
    """

    drawing: int
    name: str
    scale: float
    x: float
    y: float
    angle: float = 0.0
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    shift: float = 0.0
    saturation: float = 1.0
    tint: str | None = None


@dataclass(frozen=True)
class Ring:
    """A circle: centre -1 to 1, radius and line width as shares of the side, ink in 0..1."""

    x: float
    y: float
    radius: float
    width: float
    ink: tuple[float, float, float]


@dataclass(frozen=True)
class Scene:
    """Everything a picture shows.

    Attributes:
        ground: a name in GROUNDS or TEXTURES.
        base: its main colour after jitter, (3,) in 0..1.
        other: the second colour of a texture, (3,) in 0..1.
        phase: where a texture starts, (2,) in 0..1.
    """

    ground: str
    base: tuple[float, float, float]
    things: tuple[Thing, ...]
    other: tuple[float, float, float] = (1.0, 1.0, 1.0)
    phase: tuple[float, float] = (0.0, 0.0)
    ring: Ring | None = None
