"""Text in pictures: measured, cut and broken into lines before it is drawn, in any script a font is at hand for.

The font that is shipped (DejaVu Sans Condensed) has Latin, Greek, Cyrillic, Arabic, Hebrew and signs, so that a
slide looks the same everywhere. For other letters the system's fonts are tried by name; what none of them has is
drawn as a box.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont, features

SHIPPED = str(Path(__file__).with_name("fonts") / "DejaVuSansCondensed.ttf")
SYSTEM = (
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "DroidSansFallbackFull.ttf", "wqy-microhei.ttc",
    "NotoSansSC-Regular.ttf", "NotoSansJP-Regular.ttf", "NotoSansKR-Regular.ttf", "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf", "NotoSansBengali-Regular.ttf", "NotoSansTamil-Regular.ttf",
    "NotoSansTelugu-Regular.ttf", "NotoSansEthiopic-Regular.ttf", "Arial Unicode.ttf", "PingFang.ttc",
    "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc", "msyh.ttc", "malgun.ttf", "Nirmala.ttc", "LeelawUI.ttf",
    "seguisym.ttf", "NotoEmoji-Regular.ttf", "Symbola.ttf", "unifont.otf",
)  # fmt: skip
"""Fonts of common systems, tried in this order for letters that the shipped one lacks."""
LONGEST = 4000
"""Characters of a text beyond which nothing is measured: no slide holds as many."""
SPACING = 1.27
"""Height of a line, in sizes of the font."""
DIRECTION = "ltr" if features.check("raqm") else None
"""Of a line, whatever letter it begins with: a label from right to left must not turn the sentence about it.
Pillow without raqm knows no direction at all."""
COMMON = ("C", "M", "Z")
"""Categories of characters that stay in the font of the letter before them."""


@lru_cache(maxsize=256)
def font(size: int, name: str = SHIPPED) -> ImageFont.FreeTypeFont:
    """A font by its file, in pixels.

    Raises:
        OSError: the system has none of that name.
    """
    return ImageFont.truetype(name, size)


def plain(text: str) -> str:
    """A text on one line: no control characters, no line breaks, one space where there were several."""
    kept = (" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text[:LONGEST])
    return " ".join("".join(one for one in kept if one not in _TURNING).split())


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
"""Marks that turn the direction of what follows: a label must not turn what stands beside it."""


def length(text: str, size: int) -> float:
    """How wide a text is drawn, in pixels."""
    return sum(font(size, name).getlength(run, direction=DIRECTION) for run, name in _runs(text))


@lru_cache(maxsize=8192)
def _of_word(word: str, size: int) -> float:
    """How wide a word is; those of a text are measured one by one, since lines of them would be measured anew."""
    return length(word, size)


def fitted(text: str, width: float, size: int) -> str:
    """As much of a text as a width holds, with an ellipsis where it was cut."""
    return _cut(text, width, size, lambda kept: text[:kept].rstrip() + "…")


def fitted_middle(text: str, width: float, size: int) -> str:
    """The same, cut in the middle: for names whose ends tell them apart."""
    return _cut(text, width, size, lambda kept: text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :])


def wrapped(text: str, width: float, size: int, most: int | None = None) -> list[str]:
    """A text in lines of a width; words too long for one are broken. What more than `most` would take is cut."""
    lines, held, space = list[list[str]](), 0.0, _of_word(" ", size)
    for word in _words(text, width, size):
        wide = _of_word(word, size)
        if lines and held + space + wide <= width:
            lines[-1].append(word)
            held += space + wide
        else:
            lines.append([word])
            held = wide
    return _at_most([" ".join(line) for line in lines], width, size, most)


def _at_most(lines: list[str], width: float, size: int, most: int | None) -> list[str]:
    """The first lines, the last of them with an ellipsis where more were left out."""
    if most is not None and len(lines) > most:
        lines = [*lines[: most - 1], fitted(f"{lines[most - 1]} {lines[most]}", width, size)] if most else []
    return lines


def draw(
    pen: ImageDraw.ImageDraw, x: float, y: float, text: str, size: int, colour: tuple[int, int, int],
    align: float = 0.0,
) -> None:  # fmt: skip
    """Draw a text on one line. `y` is the line's top; `align` is 0 from x to the right, 0.5 about x, 1 up to x."""
    x -= align * length(text, size)
    base = y + font(size).getmetrics()[0]
    for run, name in _runs(text):
        pen.text((x, base), run, colour, font(size, name), anchor="ls", direction=DIRECTION)
        x += font(size, name).getlength(run, direction=DIRECTION)


def line_height(size: int) -> int:
    """From the top of a line to the top of the next, in pixels."""
    return round(SPACING * size)


def _cut(text: str, width: float, size: int, keep: Callable[[int], str]) -> str:
    if length(text, size) <= width:
        return text
    fewest, most = 0, len(text) - 1
    while fewest < most:
        middle = (fewest + most + 1) // 2
        fewest, most = (middle, most) if length(keep(middle), size) <= width else (fewest, middle - 1)
    return keep(fewest)


def _words(text: str, width: float, size: int) -> Iterator[str]:
    """The words of a text; those wider than a line in pieces that are not."""
    for word in plain(text).split():
        while _of_word(word, size) > width:
            kept = len(fitted(word, width, size)) - 1
            yield word[: max(kept, 1)]
            word = word[max(kept, 1) :]
        if word:
            yield word


def _runs(text: str) -> list[tuple[str, str]]:
    """A text in pieces of one font each, with the font's file.

    Where a quoted label runs from right to left, what follows the quotation does not: a mark behind it says so.
    """
    names, last = [], SHIPPED
    if any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text):
        text = text.replace("“", "\u200e“").replace("”", "”\u200e")
    for letter in text:
        if unicodedata.category(letter)[0] not in COMMON:
            last = _font_of(letter)
        names.append(last)
    pieces = groupby(zip(text, names, strict=True), key=lambda pair: pair[1])
    return [("".join(letter for letter, _ in pairs), name) for name, pairs in pieces]


@lru_cache(maxsize=4096)
def _font_of(letter: str) -> str:
    """The first font that has a letter; the shipped one, which draws a box, where none has."""
    return next((name for name in (SHIPPED, *_installed()) if _has(name, letter)), SHIPPED)


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    return tuple(name for name in SYSTEM if _opens(name))


def _opens(name: str) -> bool:
    try:
        font(16, name)
    except OSError:
        return False
    return True


def _has(name: str, letter: str) -> bool:
    """Whether a font draws a letter otherwise than it draws what no font has."""
    return bytes(font(16, name).getmask(letter)) != bytes(font(16, name).getmask("\uffff"))
