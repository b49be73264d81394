"""What the slides of all probes have in common: one page of 1920 x 1080 with the answer and how it came about.

On top stand the probe's title and question and the headline, below what a reader must know, the model with the
digest of its weights, and the date; between them is room for one picture. No text is smaller than `SMALL`, so that
it can be read from the last row. A slide is made from a report alone, and one that was loaded gives the same.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageColor, ImageDraw

from probes.core import lettering
from probes.core.card import Card
from probes.core.pictures import Raster
from probes.core.plotting import BLUE, ORANGE, VERMILION
from probes.core.report import Report

Colour = tuple[int, int, int]

SIZE = (1920, 1080)
EDGE = 48
GAP = 40
"""Pixels between two columns."""
LARGE, SMALL = 46, 28
"""Sizes of the title and of the smallest text, in pixels."""
HEADLINES = (44, 40, 36, 32, 28)
"""Sizes of the headline, the first that fits."""
HEADLINE_HEIGHT = 190
CAUTION_LINES = 2
INK, QUIET, RULE, PAPER = (29, 30, 31), (92, 96, 102), (212, 215, 219), (255, 255, 255)
FEW = 3
"""A picture is enlarged by more than this: its pixels are shown as they are."""


def colour(name: str) -> Colour:
    """A colour of the palette as Pillow takes it."""
    red, green, blue = ImageColor.getrgb(name)[:3]
    return red, green, blue


FIRST, SECOND, THIRD = colour(BLUE), colour(VERMILION), colour(ORANGE)


@dataclass(frozen=True)
class Area:
    """A rectangle of a slide, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """From top to bottom."""
        return self.bottom - self.top

    def columns(self, first: int) -> tuple[Area, Area]:
        """Two areas beside one another, of which the first is so wide."""
        cut = self.left + first
        return Area(self.left, self.top, cut, self.bottom), Area(cut + GAP, self.top, self.right, self.bottom)

    def below(self, height: int) -> Area:
        """What is left under a height."""
        return Area(self.left, min(self.top + height, self.bottom), self.right, self.bottom)

    def above(self, height: int) -> Area:
        """What is left over a height at the bottom."""
        return Area(self.left, self.top, self.right, max(self.bottom - height, self.top))


class Slide:
    """A page with everything on it but the picture, for which `area` is left.

    Attributes:
        page: the picture; `pen` draws on it.
    """

    def __init__(self, card: Card, report: Report[Any]) -> None:
        self.page = Image.new("RGB", SIZE, PAPER)
        self.pen = ImageDraw.Draw(self.page)
        wide = SIZE[0] - 2 * EDGE
        y = EDGE - 14
        self.text(EDGE, y, lettering.fitted(card.title, wide, LARGE), LARGE)
        y += lettering.line_height(LARGE)
        y = self.paragraph(Area(EDGE, y, EDGE + wide, y + 80), card.question, (SMALL,), QUIET) + 14
        top = self.paragraph(Area(EDGE, y, EDGE + wide, y + HEADLINE_HEIGHT), report.headline, HEADLINES) + 20
        self.area = Area(EDGE, top, EDGE + wide, self._foot(report) - 16)

    def _foot(self, report: Report[Any]) -> int:
        """What must be known, and where the answer is from; the y above them."""
        made, wide = report.provenance, SIZE[0] - 2 * EDGE
        y = SIZE[1] - EDGE - lettering.line_height(SMALL) + 14
        end = (
            f" · weights {made.weights_digest[:12]} · {made.time[:10]}" if made.weights_digest else made.time[:10]
        )
        own = lettering.length("Clipspect", SMALL) + GAP
        room = wide - own - lettering.length(end, SMALL)
        model = lettering.fitted_middle(lettering.plain(made.model), room, SMALL)
        self.text(EDGE, y, model + end, SMALL, QUIET)
        self.text(SIZE[0] - EDGE, y, "Clipspect", SMALL, QUIET, align=1.0)
        y -= 10
        self.pen.line((EDGE, y, SIZE[0] - EDGE, y), RULE, 2)
        cautions = " · ".join(report.result.warnings())
        lines = lettering.wrapped(cautions, wide, SMALL, CAUTION_LINES)
        y -= 8 + len(lines) * lettering.line_height(SMALL)
        for place, line in enumerate(lines):
            self.text(EDGE, y + place * lettering.line_height(SMALL), line, SMALL)
        return y

    def text(
        self, x: float, y: float, text: str, size: int = SMALL, colour: Colour = INK, align: float = 0.0
    ) -> None:
        """One line; see `lettering.draw`."""
        lettering.draw(self.pen, x, y, text, size, colour, align)

    def paragraph(self, area: Area, text: str, sizes: Sequence[int], colour: Colour = INK) -> int:
        """A text in the first size in which an area holds it, or as much of it in the last; the y below it."""
        for size in sizes:
            lines = lettering.wrapped(text, area.width, size)
            most = max(area.height // lettering.line_height(size), 1)
            if len(lines) <= most:
                break
        else:
            lines = lettering.wrapped(text, area.width, size, most)
        for place, line in enumerate(lines):
            self.text(area.left, area.top + place * lettering.line_height(size), line, size, colour)
        return area.top + len(lines) * lettering.line_height(size)

    def picture(self, image: Image.Image, area: Area, title: str) -> None:
        """A picture under its title, as large as an area holds; small ones keep their pixels."""
        self.text(area.left, area.top, lettering.fitted(lettering.plain(title), area.width, SMALL))
        area = area.below(lettering.line_height(SMALL) + 4)
        scale = min(area.width / image.width, area.height / image.height)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        kind = Image.Resampling.NEAREST if scale > FEW else Image.Resampling.LANCZOS
        self.page.paste(image.convert("RGB").resize(size, kind), (area.left, area.top))

    def png(self) -> bytes:
        """The slide as a file."""
        stream = io.BytesIO()
        self.page.save(stream, format="PNG", optimize=True)
        return stream.getvalue()


def raster(shown: Raster) -> Image.Image:
    """A small picture of a result."""
    return Image.fromarray(shown.decode())
