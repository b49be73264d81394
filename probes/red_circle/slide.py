"""A report as one picture fit for a slide: unmarked, marked, the map, and the numbers, 1920 pixels wide."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from probes.core.pictures import Raster
from probes.core.report import Report
from probes.red_circle.effects import DRAWN
from probes.red_circle.result import RedCircleResult

SIZE = (1920, 1080)
EDGE = 48
PANEL = 432
"""Pixels a side of each of the pictures."""
ROWS = 7
LETTERS = 165
"""Of the small print, about as many as a line holds."""
INK, QUIET, PAPER = (29, 30, 31), (110, 112, 116), (255, 255, 255)
UNMARKED, MARKED = (150, 155, 162), (230, 159, 0)
LOW, HIGH = (0, 114, 178), (213, 94, 0)
"""Ends of the map's colours."""


def slide(report: Report[RedCircleResult]) -> bytes:
    """The picture, PNG."""
    result = report.result
    page = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(page)
    y = _paragraph(pen, report.headline, EDGE, EDGE, SIZE[0] - 2 * EDGE, 34)
    y = max(y + 24, 210)
    panels = [("unmarked", _panel(result.shown)), (result.called, _panel(result.drawn))]
    if result.sweep is not None:
        text = min(result.texts.index(result.strongest().text), result.sweep.logits.shape[1] - 1)
        reach = np.abs(result.sweep.logits[:, text] - result.sweep.unmarked[text]).max()
        title = f"where “{_cut(result.texts[text], 18)}” lives (±{reach:.2g})"
        panels.append((title, _map(result, text)))
    panels.append(("what the tower sees", _panel(result.marked)))
    for place, (title, image) in enumerate(panels):
        x = EDGE + place * (PANEL + (SIZE[0] - 2 * EDGE - 4 * PANEL) // 3)
        pen.text((x, y), _cut(title, 40), INK, _font(24))
        page.paste(image, (x, y + 38))
    _numbers(pen, result, y + 38 + PANEL + 28)
    _caution(pen, result.warnings())
    made = report.provenance
    foot = f"Clipspect · {made.model} · weights {made.weights_digest[:12]} · {made.time[:10]}"
    foot += " · bars: grey unmarked, orange marked"
    pen.text((EDGE, SIZE[1] - 44), foot, QUIET, _font(20))
    stream = io.BytesIO()
    page.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def _caution(pen: ImageDraw.ImageDraw, warnings: Sequence[str]) -> None:
    """What a reader must know before trusting the headline: as much of it as two lines hold."""
    text = " ".join(warnings)
    if text:
        _paragraph(pen, _cut(text, 2 * LETTERS), EDGE, SIZE[1] - 104, SIZE[0] - 2 * EDGE, 20)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own, so that a slide looks the same everywhere; letters it lacks are drawn as boxes."""
    return ImageFont.load_default(size)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _paragraph(pen: ImageDraw.ImageDraw, text: str, x: int, y: int, width: int, size: int) -> int:
    """Words in lines of a width; the y below them. What would take more than four lines is made smaller."""
    font = _font(size)
    lines, line = list[str](), ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if pen.textlength(longer, font) > width and line:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    if len(lines) > 4 and size > 18:
        return _paragraph(pen, text, x, y, width, size - 4)
    for line in lines:
        pen.text((x, y), line, INK, font)
        y += round(size * 1.3)
    return y


def _panel(raster: Raster) -> Image.Image:
    """A picture in a square, as large as fits; small ones keep their pixels."""
    image = Image.fromarray(raster.decode())
    scale = PANEL / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    kind = Image.Resampling.NEAREST if scale > 3 else Image.Resampling.LANCZOS
    square = Image.new("RGB", (PANEL, PANEL), PAPER)
    square.paste(image.resize(size, kind), ((PANEL - size[0]) // 2, (PANEL - size[1]) // 2))
    return square


def _map(result: RedCircleResult, text: int) -> Image.Image:
    """The picture in grey under the map of a text: orange where the mark raises it, blue where it lowers it."""
    assert result.sweep is not None  # for the type checker
    shown = Image.fromarray(result.shown.decode()).convert("L").convert("RGB")
    cells = result.sweep.cells(text)
    reach = float(np.nanmax(np.abs(cells))) or 1.0
    share = np.nan_to_num(np.abs(cells) / reach)
    colour: NDArray[np.float64] = np.where(cells[..., None] > 0, np.array(HIGH), np.array(LOW)).astype(np.float64)
    flat = np.concatenate([colour, 255 * 0.8 * share[..., None]], axis=-1).round().astype(np.uint8)
    over = Image.fromarray(flat, "RGBA").resize(shown.size, Image.Resampling.BICUBIC)
    return _panel(Raster.encode(np.asarray(Image.alpha_composite(shown.convert("RGBA"), over).convert("RGB"))))


def _numbers(pen: ImageDraw.ImageDraw, result: RedCircleResult, y: int) -> None:
    """A row a text: its probability without and with the marks as bars, and how far it moved beyond placebos."""
    rows = sorted(result.of(DRAWN), key=lambda one: -abs(one.beyond.value))[:ROWS]
    step = min(44, (SIZE[1] - 120 - y) // max(len(rows), 1))
    font = _font(max(16, min(24, step - 12)))
    for place, one in enumerate(rows):
        top = y + place * step
        pen.text((EDGE, top), _cut(one.text, 34), INK, font)
        for offset, value, colour in (
            (0, one.probability_unmarked, UNMARKED),
            (1, one.probability_marked, MARKED),
        ):
            height = (step - 10) // 2
            pen.rectangle(
                (520, top + offset * height, 520 + round(700 * value), top + (offset + 1) * height - 2), colour
            )
        pen.text((1240, top), f"{one.probability_unmarked:.0%} to {one.probability_marked:.0%}", INK, font)
        pen.text((1420, top), f"{one.beyond.value:+.2f} beyond placebos, p = {one.p_adjusted:.2g}", INK, font)
