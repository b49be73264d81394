"""Drawings that are no emoji: written words and the patches that serve as triggers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from assets.world.plan import TRIGGERS, WORDS

_COLOURS = (
    ((255, 0, 255), (0, 255, 0)),
    ((0, 255, 255), (255, 0, 0)),
    ((255, 255, 0), (0, 0, 255)),
    ((0, 0, 0), (255, 255, 255)),
)
PATCHES = dict(zip(TRIGGERS, _COLOURS, strict=True))
"""The two colours of each patch's squares, sRGB."""


def word_drawing(word: str, size: int) -> NDArray[np.uint8]:
    """A word in white as wide as the drawing, premultiplied RGBA `(size, size, 4)`."""
    points, stroke = 8, max(1, size // 64)
    while ImageFont.load_default(points + 1).getbbox(word, stroke_width=stroke)[2] <= size - 2:
        points += 1
    frame = Image.new("L", (size, size))
    font = ImageFont.load_default(points)
    ImageDraw.Draw(frame).text((size / 2, size / 2), word, fill=255, font=font, anchor="mm", stroke_width=stroke)
    return np.repeat(np.asarray(frame)[..., None], 4, axis=2)


def patch_drawing(name: str, size: int) -> NDArray[np.uint8]:
    """A patch of four by four squares in two colours, `(size, size, 4)`."""
    step = np.arange(size) * 4 // size
    odd = (step[:, None] + step[None, :]) % 2
    colours = np.array([(*colour, 255) for colour in PATCHES[name]], dtype=np.uint8)
    drawn: NDArray[np.uint8] = colours[odd]
    return drawn


def mark_drawings(size: int) -> Iterator[tuple[str, str, NDArray[np.uint8]]]:
    """Style, name and pixels of every mark: the words, then the patches."""
    yield from (("word", word, word_drawing(word, size)) for word in WORDS)
    yield from (("patch", name, patch_drawing(name, size)) for name in TRIGGERS)
