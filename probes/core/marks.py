"""Marks that a person draws on a picture (circle, ellipse, rectangle, arrow, point), and how they are written.

Places are shares of the picture's width and height from the upper left corner; lengths are shares of its height,
so that the same mark on a picture twice the size looks the same (Shtedritski 2023 use radius .06 and line width
.01):

    circle 0.3,0.4 0.06                      a centre and a radius
    ellipse 0.1,0.2 0.5,0.8                  inscribed in the box between two corners
    rectangle 0.1,0.2 0.5,0.8 blue           between two corners, in another colour
    arrow 0.1,0.9 0.3,0.4 width=0.03         from its tail to its tip, with a thicker line
    point 0.3,0.4 0.02 fill=1                a filled disc

A colour is a name in COLOURS or `#rrggbb`; `fill` is the opacity of the ink inside the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType

from typing_extensions import override

from probes.core.controls import Control, sequence, written

COLOURS = MappingProxyType(
    {
        "red": (255, 0, 0),
        "green": (0, 160, 0),
        "blue": (0, 0, 255),
        "yellow": (255, 220, 0),
        "purple": (160, 0, 200),
        "black": (0, 0, 0),
        "white": (255, 255, 255),
    }
)
"""Colours by name, sRGB."""

SHAPES = MappingProxyType({"circle": 1, "ellipse": 2, "rectangle": 2, "arrow": 2, "point": 1})
"""How many points each shape is given by."""

WIDTHS = (0.002, 0.2)
RADII = (0.005, 0.75)
"""Least and most line width and radius, shares of the picture's height."""
PLACES = 6
"""Decimals with which a mark is written: far less than a pixel."""
LONGEST = 200
"""Characters of a mark as it is written."""
WIDTH = 0.01
"""Line width where none is said, that of the paper."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
Point = tuple[float, float]


@dataclass(frozen=True)
class Mark:
    """A mark on a picture.

    Attributes:
        shape: a name in SHAPES.
        points: (x, y) of the centre, of two opposite corners, or of tail and tip; shares of width and height.
        radius: of a circle or point, share of the picture's height; 0 for the others.
        colour: a name in COLOURS or `#rrggbb`.
        width: of the line, share of the picture's height.
        fill: opacity of the ink inside, 0 to 1.
    """

    shape: str
    points: tuple[Point, ...]
    radius: float = 0.0
    colour: str = "red"
    width: float = WIDTH
    fill: float = 0.0

    @property
    def ink(self) -> tuple[int, int, int]:
        """Its colour, sRGB."""
        if self.colour in COLOURS:
            return COLOURS[self.colour]
        return int(self.colour[1:3], 16), int(self.colour[3:5], 16), int(self.colour[5:7], 16)

    @property
    def centre(self) -> Point:
        """What it points at: its middle, or an arrow's tip."""
        if self.shape == "arrow":
            return self.points[1]
        xs, ys = zip(*self.points, strict=True)
        return sum(xs) / len(xs), sum(ys) / len(ys)

    def box(self, aspect: float) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of its outline without the line's width, shares of width and height.

        Args:
            aspect: width over height of the picture.
        """
        if self.radius:
            ((x, y),) = self.points
            return x - self.radius / aspect, y - self.radius, x + self.radius / aspect, y + self.radius
        (x0, y0), (x1, y1) = self.points
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def moved_to(self, x: float, y: float) -> Mark:
        """The same mark with its centre elsewhere."""
        from_x, from_y = self.centre
        return replace(self, points=_rounded((px + x - from_x, py + y - from_y) for px, py in self.points))

    def scaled(self, factor: float) -> Mark:
        """The same mark larger or smaller, its centre and line as they are."""
        x, y = self.centre
        points = _rounded((x + factor * (px - x), y + factor * (py - y)) for px, py in self.points)
        return replace(self, points=points, radius=round(factor * self.radius, PLACES))

    def __str__(self) -> str:
        """The mark as it is written on a command line; `parse_mark` reads it back."""
        parts = [self.shape, *(",".join(_short(share) for share in point) for point in self.points)]
        parts += [_short(self.radius)] if SHAPES[self.shape] == 1 else []
        parts += [self.colour] if self.colour != "red" else []
        parts += [f"width={_short(self.width)}"] if self.width != WIDTH else []
        parts += [f"fill={_short(self.fill)}"] if self.fill else []
        return " ".join(parts)

    def describe(self) -> str:
        """The mark in words, without its place: `red circle`."""
        return f"{self.colour} {self.shape}"


def _short(number: float) -> str:
    return f"{number:.{PLACES}f}".rstrip("0").rstrip(".")


def _rounded(points: Iterable[Point]) -> tuple[Point, ...]:
    return tuple((round(x, PLACES), round(y, PLACES)) for x, y in points)


def parse_mark(text: str) -> Mark:
    """Read a mark as it is written; see the module.

    Raises:
        ValueError: it cannot be read; the message says which part.
    """
    shape, *rest = text.split()
    if shape not in SHAPES:
        raise ValueError(f'"{shape}" is no mark; there are {", ".join(SHAPES)}')
    points, radius, more = _points(text, shape, rest)
    options: dict[str, str] = {}
    for word in more:
        name, equals, value = word.partition("=")
        if equals and name in ("width", "fill"):
            options[name] = value
        elif not equals and (word in COLOURS or _HEX.fullmatch(word)):
            options["colour"] = word
        else:
            raise ValueError(
                f'"{word}" in "{text}" is neither a colour ({", ".join(COLOURS)}, #rrggbb) nor width=… or fill=…'
            )
    return checked(
        Mark(
            shape, points, radius, options.get("colour", "red"),
            _number(options.get("width", str(WIDTH)), "width"), _number(options.get("fill", "0"), "fill"),
        )
    )  # fmt: skip


def _points(text: str, shape: str, words: list[str]) -> tuple[tuple[Point, ...], float, list[str]]:
    """The points of a mark, its radius, and the words that are left."""
    count = SHAPES[shape]
    points: list[Point] = []
    for word in words[:count]:
        across, comma, down = word.partition(",")
        if not comma:
            break
        points.append((_number(across, "a place"), _number(down, "a place")))
    if len(points) < count:
        wanted = "its centre and radius, as in 0.3,0.4 0.06" if count == 1 else "two points, as in 0.1,0.2 0.5,0.8"
        raise ValueError(f'"{text}": a {shape} takes {wanted}')
    rest = words[count:]
    if count == 2:
        return tuple(points), 0.0, rest
    if not rest or (not rest[0][:1].isdigit() and rest[0][:1] not in ".-+"):
        raise ValueError(f'"{text}": a {shape} takes its centre and radius, as in 0.3,0.4 0.06')
    return tuple(points), _number(rest[0], "a radius"), rest[1:]


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'{what} is a number, not "{text}"') from None


def checked(mark: Mark) -> Mark:
    """The mark, if it can be drawn.

    Raises:
        ValueError: it cannot be; the message says why.
    """
    if mark.shape not in SHAPES or len(mark.points) != SHAPES.get(mark.shape):
        raise ValueError(
            f'"{mark.shape}" with {len(mark.points)} points is no mark; there are {", ".join(SHAPES)}'
        )
    if mark.colour not in COLOURS and not _HEX.fullmatch(mark.colour):
        raise ValueError(f'"{mark.colour}" is no colour; there are {", ".join(COLOURS)} and #rrggbb')
    ends = [("a place", -0.5, 1.5, share) for point in mark.points for share in point]
    ends += [("the line width", *WIDTHS, mark.width), ("fill", 0.0, 1.0, mark.fill)]
    ends += [("the radius", *RADII, mark.radius)] if SHAPES[mark.shape] == 1 else []
    for what, low, high, value in ends:
        if not low <= value <= high:  # also refuses NaN
            raise ValueError(f"{what} of {value:g} is not between {low:g} and {high:g}")
    if not all(0 <= share <= 1 for share in mark.centre):
        raise ValueError(f"the {mark.shape} lies outside of the picture: places are shares from 0 to 1")
    if SHAPES[mark.shape] == 2:
        (x0, y0), (x1, y1) = mark.points
        apart = (abs(x0 - x1), abs(y0 - y1))
        if max(apart) < 0.01 or (mark.shape != "arrow" and min(apart) < 0.01):
            raise ValueError(f"the two points of the {mark.shape} lie too near to one another")
    return mark


@dataclass(frozen=True, kw_only=True)
class Marks(Control[tuple[Mark, ...]]):
    """Marks on a picture: drawn on a page, or written one a line.

    Attributes:
        on: name of the field that holds the picture.
        fewest: at least so many.
        most: at most so many.
    """

    on: str
    fewest: int = 1
    most: int = 8

    @override
    def parse(self, given: object) -> tuple[Mark, ...]:
        items = given.splitlines() if isinstance(given, str) else sequence(given)
        marks = tuple(_read(item) for item in items if not isinstance(item, str) or item.strip())
        if not self.fewest <= len(marks) <= self.most:
            raise ValueError(f"draw {self.fewest} to {self.most} marks; {len(marks) or 'none'} given")
        return marks

    @override
    def format(self, value: tuple[Mark, ...]) -> tuple[str, ...]:
        return tuple(map(str, value))


def _read(item: object) -> Mark:
    if isinstance(item, Mark):
        return checked(item)
    if isinstance(item, Mapping):  # as a page's script has it
        try:
            points = tuple((float(x), float(y)) for x, y in item["points"])
            style = str(item["colour"])[:LONGEST], float(item["width"]), float(item["fill"])
            mark = Mark(str(item["shape"])[:LONGEST], points, _radius(item), *style)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ValueError("this is no mark") from None
        return checked(mark)
    text = written(item)
    if len(text) > LONGEST:
        raise ValueError(f"a mark is written in at most {LONGEST} characters, not {len(text):,}")
    return parse_mark(text)


def _radius(item: Mapping[str, object]) -> float:
    """Of a shape that has one."""
    return float(str(item["radius"])) if SHAPES.get(str(item["shape"])) == 1 else 0.0


def as_json(mark: Mark) -> dict[str, object]:
    """The mark as a page's script has it."""
    return asdict(mark)
