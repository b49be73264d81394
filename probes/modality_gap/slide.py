"""A report as one picture fit for a slide: both clouds across their gap, and what closing it does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from probes.core import lettering
from probes.core.card import Card
from probes.core.report import Report
from probes.core.slides import FIRST, GAP, INK, QUIET, RULE, SMALL, THIRD, Area, Slide
from probes.modality_gap.result import ModalityGapResult, Moved

CLOUDS = 1000
"""Pixels of the column with the clouds."""
MOST = 1500
"""Pairs drawn, spread evenly over those that are kept."""
MARGIN = 20
TEXT = 34
LINE = lettering.line_height(SMALL)


def slide(card: Card, report: Report[ModalityGapResult]) -> bytes:
    """The picture, PNG."""
    result, page = report.result, Slide(card, report)
    left, right = page.area.columns(CLOUDS)
    _clouds(page, left, result)
    _numbers(page, right, result)
    return page.png()


def placed(points: NDArray[np.floating], area: Area) -> NDArray[np.float64]:
    """Points (n, 2) as pixels (n, 2) of an area: one scale across and down, centred, up is up."""
    points = np.asarray(points, dtype=np.float64)
    least, most = points.min(axis=0), points.max(axis=0)
    reach = np.maximum(most - least, 1e-12)
    room = np.array([area.width - 2 * MARGIN, area.height - 2 * MARGIN])
    scale = float((room / reach).min())
    middle = np.array([(area.left + area.right) / 2, (area.top + area.bottom) / 2])
    pixels: NDArray[np.float64] = middle + (points - (least + most) / 2) * scale * (1.0, -1.0)
    return pixels


def _clouds(page: Slide, area: Area, result: ModalityGapResult) -> None:
    """Along the gap to the right and what varies most beside it upwards; the means are joined."""
    points = result.cloud.views["sphere"].points[:, :2]
    half = len(points) // 2
    plot = Area(area.left, area.top + LINE + 8, area.right, area.bottom - LINE - 8)
    page.pen.rectangle((plot.left, plot.top, plot.right, plot.bottom), None, RULE, 2)
    kept = np.unique(np.linspace(0, half - 1, min(half, MOST)).astype(int))
    pixels = placed(points, plot)
    for x, y in pixels[:half][kept]:
        page.pen.ellipse((x - 5, y - 5, x + 5, y + 5), FIRST)
    for x, y in pixels[half:][kept]:
        _cross(page.pen, x, y)
    means = [pixels[part].mean(axis=0) for part in (slice(half), slice(half, None))]
    page.pen.line([(float(x), float(y)) for x, y in means], INK, 5)
    for x, y in means:
        page.pen.ellipse((x - 10, y - 10, x + 10, y + 10), (255, 255, 255), INK, 4)
    shown = f"{len(kept):,} of {result.n:,} pairs" if len(kept) < result.n else f"{result.n:,} pairs"
    legend = f"● pictures   × captions   ○─○ their means   {shown}"
    page.text(area.left, area.top, lettering.fitted(legend, area.width, SMALL))
    axis = "along the gap →    upwards: most of the rest"
    page.text(area.left, plot.bottom + 4, lettering.fitted(axis, area.width, SMALL), colour=QUIET)


def _cross(pen: ImageDraw.ImageDraw, x: float, y: float) -> None:
    pen.line((x - 5, y - 5, x + 5, y + 5), THIRD, 3)
    pen.line((x - 5, y + 5, x + 5, y - 5), THIRD, 3)


def _numbers(page: Slide, area: Area, result: ModalityGapResult) -> None:
    """What is followed, as it is and with the gap closed."""
    closed = next(one.moved for one in result.interventions if one.key == "both")
    rows = [("", "as it is", "gap closed"), *_written(result, result.at(0.0), closed)]
    step = min(area.height // len(rows), 72)
    second = round(max(lettering.length(row[2], TEXT) for row in rows))
    first = round(max(lettering.length(row[1], TEXT) for row in rows))
    room = area.width - first - second - 2 * GAP
    for place, (name, before, after) in enumerate(rows):
        y = area.top + place * step
        colour = INK if place else QUIET
        page.text(area.left, y, lettering.fitted(name, room, TEXT), TEXT, colour)
        page.text(area.right - second - GAP, y, before, TEXT, colour, align=1.0)
        page.text(area.right, y, after, TEXT, colour, align=1.0)
        page.pen.line((area.left, y + step - 8, area.right, y + step - 8), RULE, 2)


def _written(result: ModalityGapResult, before: Moved, after: Moved) -> list[tuple[str, str, str]]:
    own = "sigmoid loss" if result.sigmoid else f"loss at scale {result.logit_scale:.3g}"
    named = (
        ("gap", before.gap, after.gap, ".3f"),
        (own, before.loss, after.loss, ".2f"),
        ("loss at scale 1", before.loss_scale_1, after.loss_scale_1, ".3f"),
        ("R@1 picture → caption", before.r1_image_to_text, after.r1_image_to_text, ".1%"),
        ("R@1 caption → picture", before.r1_text_to_image, after.r1_text_to_image, ".1%"),
        ("zero-shot accuracy", before.zero_shot, after.zero_shot, ".1%"),
        ("association (effect size)", before.association, after.association, "+.2f"),
    )
    return [
        (name, format(one, form), format(other, form))
        for name, one, other, form in named
        if one is not None and other is not None
    ]
