"""A report as one picture fit for a slide: unmarked, marked, the map, and how far each text moved."""

from __future__ import annotations

import numpy as np
from PIL import Image

from probes.core import lettering
from probes.core.card import Card
from probes.core.report import Report
from probes.core.slide_rows import Row, draw_rows, fits
from probes.core.slides import FIRST, GAP, QUIET, SECOND, SMALL, Area, Slide, raster
from probes.red_circle.effects import DRAWN, Effect
from probes.red_circle.result import RedCircleResult

PANEL = 300
"""Pixels a side of each of the four pictures at most."""
LINE = lettering.line_height(SMALL)


def slide(card: Card, report: Report[RedCircleResult]) -> bytes:
    """The picture, PNG."""
    result, page = report.result, Slide(card, report)
    area = page.area
    side = min(PANEL, (area.height - 2 * (LINE + 8)) // 2)
    left, right = area.columns(2 * side + GAP)
    panels = [("unmarked", raster(result.shown)), ("marked", raster(result.drawn))]
    panels.append(("tower sees", raster(result.marked)))
    if result.sweep is not None:
        panels.append(("map", _map(result, _mapped(result))))
    for place, (title, image) in enumerate(panels):
        x, y = left.left + place % 2 * (side + GAP), left.top + place // 2 * (side + LINE + 12)
        page.picture(image, Area(x, y, x + side, y + side + LINE + 4), title)
    if result.sweep is not None:
        right = _of_map(page, right, result)
    _rows(page, right, result)
    return page.png()


def _rows(page: Slide, area: Area, result: RedCircleResult) -> None:
    """A row a text: how far it moved beyond placebos, its probability without and with the marks."""
    effects = sorted(result.of(DRAWN), key=lambda one: -abs(one.beyond.value))
    kept = effects[: fits(area.above(LINE))]
    if len(kept) < len(effects):
        more = len(effects) - len(kept)
        told = f"and {more} more text{'' if more == 1 else 's'} that moved less"
        page.text(area.right, area.bottom - LINE, told, colour=QUIET, align=1.0)
        area = area.above(LINE)
    title = "logit beyond placebos, 95 % interval; ● clear, ○ not clear (corrected p)"
    draw_rows(page, area, [_row(one) for one in kept], title)


def _row(one: Effect) -> Row:
    interval = one.beyond.interval
    told = f"{one.probability_unmarked:.0%} → {one.probability_marked:.0%}, p = {one.p_adjusted:.2g}"
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    colour = FIRST if one.beyond.value > 0 else SECOND
    return Row(one.text, one.beyond.value, low, high, told, "filled" if one.beyond_place else "hollow", colour)


def _mapped(result: RedCircleResult) -> int:
    """The text whose map is shown: the one that moved most, among those that were mapped."""
    assert result.sweep is not None  # for the type checker
    mapped: int = result.sweep.logits.shape[1]
    return min(result.texts.index(result.strongest().text), mapped - 1)


def _of_map(page: Slide, area: Area, result: RedCircleResult) -> Area:
    """Says what the map is of; what is left below."""
    assert result.sweep is not None  # for the type checker
    text = _mapped(result)
    reach = np.abs(result.sweep.logits[:, text] - result.sweep.unmarked[text]).max()
    told = (
        f"map: what the mark does there to “{lettering.plain(result.texts[text])}” (largest {reach:.2g} in logit)"
    )
    page.text(area.left, area.top, lettering.fitted(told, area.width, SMALL), colour=QUIET)
    return area.below(LINE + 8)


def _map(result: RedCircleResult, text: int) -> Image.Image:
    """The picture in grey under the map of a text: vermilion where the mark raises it, blue where it lowers it."""
    assert result.sweep is not None  # for the type checker
    shown = raster(result.shown).convert("L").convert("RGB")
    cells = result.sweep.cells(text)
    reach = float(np.nanmax(np.abs(cells))) or 1.0
    share = np.nan_to_num(np.abs(cells) / reach)
    colour = np.where(cells[..., None] > 0, np.array(SECOND), np.array(FIRST)).astype(np.float64)
    flat = np.concatenate([colour, 255 * 0.8 * share[..., None]], axis=-1).round().astype(np.uint8)
    over = Image.fromarray(flat, "RGBA").resize(shown.size, Image.Resampling.BICUBIC)
    return Image.alpha_composite(shown.convert("RGBA"), over)
