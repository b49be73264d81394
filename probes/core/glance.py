"""A quick look at what a model makes of a picture while a hand moves: no placebos, no intervals, no report."""

from __future__ import annotations

from dataclasses import dataclass

from probes.core.pictures import Raster


@dataclass(frozen=True)
class GlanceRow:
    """One text: its probability before and after, and the change of its logit."""

    text: str
    before: float
    after: float
    change: float


@dataclass(frozen=True)
class Glance:
    """What is seen at a glance.

    Attributes:
        rows: the first texts, in their order.
        more: how many texts there are besides.
        views: what the tower sees before and after.
        note: what to know, in a sentence; often nothing.
    """

    rows: tuple[GlanceRow, ...]
    more: int
    views: tuple[Raster, Raster]
    note: str = ""
