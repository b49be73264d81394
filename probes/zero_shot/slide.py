"""A report as one picture fit for a slide: what the tower sees, and the labels with their intervals."""

from __future__ import annotations

from probes.core import lettering
from probes.core.card import Card
from probes.core.report import Report
from probes.core.slide_rows import Row, draw_rows, fits
from probes.core.slides import QUIET, SMALL, Area, Slide, raster
from probes.zero_shot.science import Answer, ZeroShotResult

TOWER = 560
"""Pixels of the column with the tower's view."""
ACROSS = 4
"""Pictures beside one another where there are several."""


def slide(card: Card, report: Report[ZeroShotResult]) -> bytes:
    """The picture, PNG."""
    result, page = report.result, Slide(card, report)
    left, right = page.area.columns(min(TOWER, page.area.height))
    if len(result.seen) == 1:
        page.picture(raster(result.seen[0].tower), left, "what the tower sees")
        answers, rest = _kept(result.of(0), fits(right.above(lettering.line_height(SMALL))), "label")
        rows = [_row(answer, answer.label) for answer in answers]
    else:
        _several(page, result, left)
        first = tuple(result.of(place)[0] for place in range(len(result.seen)))
        answers, rest = _kept(first, fits(right.above(lettering.line_height(SMALL))), "picture")
        rows = [_row(answer, f"{place}. “{answer.label}”") for place, answer in enumerate(answers, start=1)]
    if rest:
        page.text(right.right, right.bottom - lettering.line_height(SMALL), rest, colour=QUIET, align=1.0)
        right = right.above(lettering.line_height(SMALL))
    alone = ", each label judged by itself" if result.sigmoid else ""
    several = len(result.templates) > 1
    whiskers = f"; whiskers: 95 % interval over {len(result.templates)} templates" if several else ""
    title = f"probability{alone}{whiskers}"
    draw_rows(page, right, rows, title, percent=True, scale=(0.0, 1.0))
    return page.png()


def _kept(answers: tuple[Answer, ...], most: int, what: str) -> tuple[tuple[Answer, ...], str]:
    """As many as fit, and in words how many more there are."""
    more = len(answers) - most
    return answers[:most], f"and {more} more {what}{'' if more == 1 else 's'}" if more > 0 else ""


def _row(answer: Answer, name: str) -> Row:
    return Row(
        name,
        answer.probability,
        answer.probability_low,
        answer.probability_high,
        f"{answer.probability:.0%}",
        "bar",
    )


def _several(page: Slide, result: ZeroShotResult, area: Area) -> None:
    """The first of several pictures, numbered."""
    line = lettering.line_height(SMALL)
    page.text(area.left, area.top, "what the tower sees")
    side = area.width // ACROSS
    area = area.below(line)
    for place, seen in enumerate(result.seen[: ACROSS * max(area.height // (side + line), 1)]):
        x, y = area.left + place % ACROSS * side, area.top + place // ACROSS * (side + line)
        page.picture(raster(seen.tower), Area(x, y, x + side - 8, y + side + line), f"{place + 1}.")
