"""Visual prompts for a region: ways to tell a model where to look, by drawing on the picture or treating the rest.

All take a box (left, top, right, bottom in shares of width and height) and the colour and line width of a mark.
Sources: circle, rectangle, arrow, point, and circles with the rest blurred or greyed (Shtedritski 2023); the rest
blurred alone (FGVP: Yang 2023); crops with and without context (Guided Cropping: Saranrittichai 2023); foveal
attention (FALIP: Zhuang 2024), which changes no pixel. Mask contours need masks, and are not here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from probes.core.marks import Mark
from probes.core.model import Backend, Float32, Progress
from probes.core.pictures import Picture
from probes.core.regions import Box
from probes.red_circle.drawing import MARGIN, Treatment, draw, focus, rectangle
from probes.red_circle.effects import FOVEAL
from probes.red_circle.placebos import as_shape

ENSEMBLE = "all of these together"


@dataclass(frozen=True)
class Style:
    """How regions are marked.

    Attributes:
        colour, width: of the line; see `Mark`.
        strength: of foveal attention.
        foveal: whether it is among the prompts.
    """

    colour: str
    width: float
    strength: float
    foveal: bool


def _circle(box: Mark, aspect: float) -> Mark:
    return replace(box, shape="ellipse")


def _rectangle(box: Mark, aspect: float) -> Mark:
    return box


def _arrow(box: Mark, aspect: float) -> Mark:
    return as_shape(box, "arrow", aspect)


def _point(box: Mark, aspect: float) -> Mark:
    return as_shape(box, "point", aspect)


Drawn = Callable[[Mark, float], Treatment]


def _prompt(shape: Callable[[Mark, float], Mark], outside: str, inked: bool, margin: float = MARGIN) -> Drawn:
    return lambda box, aspect: Treatment((shape(box, aspect),), outside, inked, margin)


PROMPTS = MappingProxyType(
    {
        "circle": _prompt(_circle, "as it is", inked=True),
        "rectangle": _prompt(_rectangle, "as it is", inked=True),
        "arrow": _prompt(_arrow, "as it is", inked=True),
        "point": _prompt(_point, "as it is", inked=True),
        "circle, rest blurred": _prompt(_circle, "blurred", inked=True),
        "circle, rest greyed": _prompt(_circle, "greyed", inked=True),
        "rest blurred": _prompt(_rectangle, "blurred", inked=False),
        "rest greyed": _prompt(_rectangle, "greyed", inked=False),
        "rest darkened": _prompt(_rectangle, "darkened", inked=False),
        "crop": _prompt(_rectangle, "cropped", inked=False, margin=0.0),
        "crop with context": _prompt(_rectangle, "cropped", inked=False),
    }
)
"""Name -> (the region's box as a mark, aspect of the picture) -> what is drawn."""


def names(style: Style) -> tuple[str, ...]:
    """The prompts of a style, foveal attention last."""
    return (*PROMPTS, FOVEAL) if style.foveal else tuple(PROMPTS)


def treatments(box: Box, aspect: float, style: Style) -> tuple[Treatment, ...]:
    """What each drawn prompt does for a region, in the order of PROMPTS."""
    mark = replace(rectangle(box), colour=style.colour, width=style.width)
    return tuple(prompt(mark, aspect) for prompt in PROMPTS.values())


def encoded(backend: Backend, picture: Picture, boxes: Sequence[Box], style: Style, progress: Progress) -> Float32:
    """Unit embeddings of every prompt and region, (v, r, d), prompts in the order of `names`."""
    aspect = picture.width / picture.height
    shown = [[draw(picture, one) for one in treatments(box, aspect, style)] for box in boxes]
    flat = [shown[region][prompt] for prompt in range(len(PROMPTS)) for region in range(len(boxes))]
    rows = backend.encode_images(flat, progress).reshape(len(PROMPTS), len(boxes), -1)
    if not style.foveal:
        return rows
    focuses = [focus((rectangle(box),), picture.height, picture.width) for box in boxes]
    looked = backend.encode_focused([picture] * len(boxes), focuses, style.strength)
    return np.concatenate([rows, looked[None]])
